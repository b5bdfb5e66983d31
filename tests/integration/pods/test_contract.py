"""What every backend does, Pods do, too: the same tests as on Docker and bubblewrap."""

import pytest

from tests.integration.sandbox.test_contract import (  # noqa: F401 - they run here
    test_a_change_within_old_times_and_sizes_is_seen,
    test_a_command_ends_at_its_time_limit_with_all_it_started,
    test_a_patch_that_is_too_large_is_refused_not_cut,
    test_a_tree_comes_from_a_file_and_is_compared_with_it,
    test_changes_come_out_as_a_patch,
    test_endless_output_is_drained_and_cut_in_the_middle,
    test_files_are_written_inside_the_workspace_only,
    test_nothing_changed_is_an_empty_patch,
    test_results_of_commands,
    test_steps_out_of_order_are_refused,
    test_the_stage_has_a_clock_of_its_own,
    test_tools_are_there,
    test_what_a_command_leaves_running_does_not_hold_it_up,
)

pytestmark = pytest.mark.docker
