"""A backup of a world's main database without its keys, in the same database: quick enough for a proof."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.outbound.postgres.tables import COLUMNS
from tests.support.harness import OnPostgres


@dataclass(frozen=True)
class Backup:
    """Every row of the main database as it was; the keyring's are left out, as from every backup of ours."""

    world: OnPostgres
    tables: tuple[str, ...]

    @classmethod
    async def of(cls, world: OnPostgres) -> Backup:
        tables = tuple(name for name in COLUMNS if name != "alembic_version")
        await world.pool.execute("CREATE SCHEMA backup")
        for table in tables:
            await world.pool.execute(f"CREATE TABLE backup.{table} AS TABLE public.{table}")
        return cls(world, tables)

    async def restore(self) -> None:
        """Put everything back, and have the product remember nothing, as another process would."""
        async with self.world.pool.acquire() as connection:
            await connection.execute("SET session_replication_role = replica")
            for table in self.tables:
                put_back = f"INSERT INTO public.{table} SELECT * FROM backup.{table}"  # noqa: S608 - names of ours
                await connection.execute(f"TRUNCATE public.{table}; {put_back}")
            await connection.execute("SET session_replication_role = DEFAULT")
