"""After fork() the child holds copies of keys and counters, and the parent needs them unused."""

import os
import signal

import pytest

from petcore import _core, errors


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_of_fork_neither_speaks_on_a_link_nor_closes_it(pair):
    ends = list(pair(_core.Limits()))
    child = os.fork()
    if child == 0:
        signal.alarm(10)  # ends a child that hangs
        silent = True
        for end in ends:
            for call in (lambda e=end: e.send(1, "step 1", b"x"), lambda e=end: e.recv(1, "s", 1)):
                try:
                    call()
                    silent = False
                except errors.SessionBroken:
                    pass
            end.serve()
            end.abort("aborted", "from the child", "step 1")
            end.close()
        end = None
        ends.clear()  # destroys them
        os._exit(0 if silent else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    ends[0].send(1, "step 1", b"still the parent's")
    assert ends[1].recv(1, "step 1", 18) == b"still the parent's"
    for end in ends:
        end.close()
