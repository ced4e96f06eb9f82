"""Bundles of units through several processes, output in order.

Contract: `run_workers` gives the same output and tally as one process would. The parent hands out bundles and, in their
order, leave to write; a worker goes on with its next one meanwhile. A process is made when there is a bundle for it.
Little crosses the pipes: where units lie, uids, counts; records are read and written by the workers themselves.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from queue import SimpleQueue
from typing import Any, Final, TypeAlias

from undertag.model.problem import Problem, UndertagError
from undertag.pipeline.bundles import Bundle, bytes_of
from undertag.pipeline.ledger import Ledger
from undertag.pipeline.process import Sweeper, settle_process
from undertag.pipeline.tally import Tally
from undertag.pipeline.way import Way
from undertag.write.events import Writer

AHEAD: Final = 3
"""Bundles that a worker may have at once: read, being worked on, waiting for its turn to write."""


Unsettled: TypeAlias = tuple[list[tuple[int, int]], bytes, list[int] | None, int]
"""What the ledger asks of a bundle: see `Ledger.settle`."""


class WorkerError(UndertagError):
    """A worker ended without a word."""

    exit_code = 4


@dataclass(slots=True)
class _Peer:
    """A worker as the parent sees it."""

    process: Any
    pipe: Connection
    open_bundles: int = 0
    ended: bool = False


@dataclass(slots=True)
class _State:
    """Where the parent stands. `hire` makes another of at most `workers` peers."""

    hire: Callable[[], _Peer]
    workers: int
    ledger: Ledger
    take: Callable[[bytes], None]
    done: Callable[[int, int], None]
    next_bundle: int = 0
    next_write: int = 0
    sizes: dict[int, int] = field(default_factory=dict)
    ready: dict[int, tuple[_Peer, Unsettled]] = field(default_factory=dict)
    given: dict[int, bytes] = field(default_factory=dict)
    next_given: int = 0


def usable_workers(wanted: int) -> int:
    """How many processes are of use: workers inherit what the parent has learned, which only a fork can give."""
    return wanted if sys.platform not in ("win32", "darwin") else 1


def run_workers(
    bundles: Iterator[Bundle],
    *,
    way: Way,
    writer: Callable[[], Writer],
    ledger: Ledger,
    workers: int,
    take: Callable[[bytes], None],
    done: Callable[[int, int], None],
) -> Tally:
    """Takes all bundles through at most `workers` processes.

    Args:
        bundles: what to do, in order; may raise `KeyboardInterrupt` instead of giving the next.
        way: what to do with each; workers get it by fork, with all that it has learned.
        writer: makes a worker's writer.
        ledger: the order so far.
        take: gets, in order, the bytes that writers give back.
        done: called for each bundle when it is written, with its bytes and its number of events.
    """
    context = multiprocessing.get_context("fork")
    peers: list[_Peer] = []
    ended = False

    def hire() -> _Peer:
        mine, theirs = context.Pipe()
        # A worker that held the parent's ends open itself would never learn that the parent is gone.
        parents = [*(peer.pipe for peer in peers), mine]
        process = context.Process(target=_work, args=(theirs, parents, way, writer), daemon=True)
        process.start()
        theirs.close()
        peers.append(_Peer(process, mine))
        return peers[-1]

    try:
        tally = _drive(bundles, peers, _State(hire, workers, ledger, take, done))
        ended = True
    except Interrupted:
        ended = True
        raise
    finally:
        for peer in peers:
            peer.pipe.close()
        for peer in peers:
            peer.process.join(timeout=5 if ended else 0)
            if peer.process.is_alive():
                peer.process.terminate()
                peer.process.join()
    return tally


def _drive(bundles: Iterator[Bundle], peers: list[_Peer], state: _State) -> Tally:
    tally = Tally()
    exhausted = False
    interrupted = False
    while True:
        try:
            exhausted = exhausted or _hand_out(bundles, peers, state)
        except KeyboardInterrupt:  # comes from `bundles`, between two of them
            interrupted = exhausted = True
        if exhausted and state.next_given == state.next_bundle:
            break
        _listen(peers, state, tally)
    for peer in peers:
        _send(peer, ("end",))
    while not all(peer.ended for peer in peers):
        _listen(peers, state, tally)
    if interrupted:
        raise Interrupted(tally)
    return tally


class Interrupted(KeyboardInterrupt):
    """The run was stopped from outside; what was begun was finished."""

    def __init__(self, tally: Tally) -> None:
        super().__init__()
        self.tally = tally


def _hand_out(bundles: Iterator[Bundle], peers: list[_Peer], state: _State) -> bool:
    """Gives bundles to workers that have room; True when there are no more."""
    while True:
        peer = min(peers, key=lambda one: one.open_bundles, default=None)
        full = len(peers) == state.workers
        if full and peer is not None and peer.open_bundles >= AHEAD:
            return False
        bundle = next(bundles, None)
        if bundle is None:
            return True
        if peer is None or (peer.open_bundles and not full):
            peer = state.hire()
        state.sizes[state.next_bundle] = bytes_of(bundle)
        _send(peer, ("bundle", state.next_bundle, bundle))
        state.next_bundle += 1
        peer.open_bundles += 1


def _send(peer: _Peer, message: tuple[Any, ...]) -> None:
    try:
        peer.pipe.send(message)
    except OSError as error:
        raise _lost(peer) from error


def _lost(peer: _Peer) -> WorkerError:
    peer.process.join(timeout=1)
    return WorkerError(
        Problem(
            code="UT191",
            message=f"a worker ended unexpectedly (exit code {peer.process.exitcode})",
            hint="out of memory is the usual cause: try fewer workers",
        )
    )


def _listen(peers: list[_Peer], state: _State, tally: Tally) -> None:
    by_pipe = {peer.pipe: peer for peer in peers if not peer.ended}
    for pipe in wait(list(by_pipe)):
        peer = by_pipe[pipe]  # type: ignore[index]
        try:
            message = peer.pipe.recv()
        except (EOFError, OSError) as error:
            raise _lost(peer) from error
        if message[0] == "done":
            _, number, unsettled = message
            state.ready[number] = (peer, unsettled)
            _let_write(state)
        elif message[0] == "written":
            _, number, data, events = message
            peer.open_bundles -= 1
            state.given[number] = data
            state.done(state.sizes.pop(number), events)
            while state.next_given in state.given:
                given = state.given.pop(state.next_given)
                if given:
                    state.take(given)
                state.next_given += 1
        elif message[0] == "bye":
            tally.add(message[1])
            peer.ended = True
        else:
            raise message[1]


def _let_write(state: _State) -> None:
    while state.next_write in state.ready:
        peer, unsettled = state.ready.pop(state.next_write)
        offset, new_uids = state.ledger.settle(*unsettled)
        _send(peer, ("write", state.next_write, offset, new_uids))
        state.next_write += 1


def _work(pipe: Connection, parents: list[Connection], way: Way, make_writer: Callable[[], Writer]) -> None:
    """A worker's life. `parents`: the other ends of pipes, which a fork hands on.

    A parent that ends early (its reader has gone, its disk is full) wants no more answers: what can't be sent to it
    any more is no fault, and the worker ends without a word.
    """
    try:
        _serve(pipe, parents, way, make_writer)
    except ConnectionError:
        return


def _serve(pipe: Connection, parents: list[Connection], way: Way, make_writer: Callable[[], Writer]) -> None:
    """Takes bundles and answers for each, until told to end or left alone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for end in parents:
        end.close()
    settle_process()
    inbox: SimpleQueue[tuple[Any, ...] | None] = SimpleQueue()
    # The parent must never wait for a worker that waits for the parent: a thread takes in whatever it sends.
    threading.Thread(target=_receive, args=(pipe, inbox), daemon=True).start()
    writer = make_writer()
    pending: dict[int, tuple[Any, int]] = {}
    total = Tally()
    inherited = way.engine.timeouts()
    sweeper = Sweeper()
    try:
        while True:
            message = inbox.get()
            if message is None:
                return
            if message[0] == "bundle":
                _, number, bundle = message
                outcome = way.go(bundle)
                total.add(outcome.tally)
                pending[number] = (outcome.rendered, outcome.tally.events)
                size = writer.size(outcome.rendered) if outcome.rendered is not None else 0
                pipe.send(("done", number, (outcome.sources, outcome.uids, outcome.numbers, size)))
                sweeper.after(bytes_of(bundle))
            elif message[0] == "write":
                _, number, offset, new_uids = message
                rendered, events = pending.pop(number)
                data = writer.write(rendered, offset, new_uids) if rendered is not None else b""
                pipe.send(("written", number, data, events))
            else:
                writer.close()
                total.bound |= way.engine.bound
                total.timeouts.update(way.engine.timeouts() - inherited)
                pipe.send(("bye", total))
                return
    except UndertagError as error:
        pipe.send(("failed", error))


def _receive(pipe: Connection, inbox: SimpleQueue[tuple[Any, ...] | None]) -> None:
    while True:
        try:
            inbox.put(pipe.recv())
        except (EOFError, OSError):
            inbox.put(None)
            return
