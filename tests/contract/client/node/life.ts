// A life in TypeScript, typed by what is generated from the OpenAPI document: compiled, and lived against a Sandbox.
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

type Line = components["schemas"]["Line"];

const url = process.argv[2]!;
const password = "correct horse battery staple";
const open = createClient<paths>({ baseUrl: url });

function must<T>(answer: { data?: T; error?: { code: string }; response: Response }): T {
  if (answer.error !== undefined) throw new Error(answer.error.code);
  return answer.data as T;
}

must(
  await open.POST("/v1/accounts", {
    body: {
      email: "ada@example.org",
      password,
      display_name: "Ada",
      locale: "en",
      accepted: { terms: true, privacy: true },
    },
  }),
);
let token: string | null | undefined;
while (!token) {
  await new Promise((next) => setTimeout(next, 50));
  token = must(await open.GET("/sandbox/mails")).items.at(-1)?.token;
}
const session = must(await open.POST("/v1/account-verifications", { body: { token, password } }));
const ada = createClient<paths>({ baseUrl: url, headers: { Authorization: `Bearer ${session.token}` } });

const query = { country: "US", capabilities: ["sms" as const] };
const [offer] = must(await ada.GET("/v1/available-numbers", { params: { query } })).items;
const line: Line = must(
  await ada.POST("/v1/lines", {
    params: { header: { "Idempotency-Key": "ts-1" } },
    body: { number: offer!.number, label: null },
  }),
);
const message = must(
  await ada.POST("/v1/lines/{line_id}/messages", {
    params: { path: { line_id: line.id }, header: { "Idempotency-Key": "ts-2" } },
    body: { to: "+13105550178", body: "See you at noon." },
  }),
);
const read = must(await ada.GET("/v1/messages/{message_id}", { params: { path: { message_id: message.id } } }));

const wrong = await ada.DELETE("/v1/account", { body: { password: "a wrong password" } });
console.log(read.body, wrong.error?.code);
