"""What the kernel does not do for work in a Pod with our filter: as in a container."""

import pytest

from tests.integration.sandbox.test_hardening import (  # noqa: F401 - they run here
    test_a_call_that_needs_no_success_to_do_harm_is_refused_before_it_looks,
    test_an_unwanted_call_is_refused,
    test_every_process_is_filtered_from_its_beginning,
    test_no_socket_but_ip_and_the_sandboxs_own,
    test_what_programs_need_still_works,
)
from tests.integration.sandbox.test_hostile_work import (  # noqa: F401
    test_no_address_is_reachable,
    test_nothing_but_its_own_folders_is_writable,
    test_there_is_no_way_to_more_rights,
    test_two_sandboxes_do_not_see_each_other,
)

pytestmark = pytest.mark.docker
