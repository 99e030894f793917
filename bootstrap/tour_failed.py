"""The end of a tour that did not go as told: apart from the tour, which is loaded only to be played."""


class TourFailed(Exception):
    """The tour did not go as told; the message says where."""
