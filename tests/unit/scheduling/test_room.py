"""Room for bodies: small ones always fit, large ones share, and what is over gives its share back."""

from entropy.scheduling.room import FREE, Room


def test_a_usual_body_fits_however_full_it_is() -> None:
    room = Room(10)
    with room.share() as giant, room.share() as usual:
        assert giant(FREE + 10)
        assert usual(FREE)
        assert not usual(FREE + 1)


def test_a_body_that_grows_takes_what_it_grew_by() -> None:
    room = Room(10)
    with room.share() as one, room.share() as other:
        assert one(FREE + 4)
        assert one(FREE + 6)
        assert other(FREE + 4)
        assert not other(FREE + 5)
        assert not one(FREE + 7)


def test_what_is_over_gives_its_room_back() -> None:
    room = Room(10)
    for _ in range(2):
        with room.share() as holds:
            assert holds(FREE + 10)
