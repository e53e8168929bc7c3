"""Damaged and hostile inputs for every reader of the package: each gives a result or an error.

    python benchmarks/fuzz.py [--inputs 2000 --seed 0 --readers annotations,vocabulary]
    python benchmarks/fuzz.py --replay annotations 1234

An input is a small file, folder or text that was valid and then mutated: bytes, JSON values,
tensors, pickles, chunks of images. The reader must give a result or raise UserError within 10 s and
1 GiB. Anything else is a fault: another exception, a crash, an input that does not end, code that
the input ran. The smallest input of each fault is kept in a folder, with the traceback. Prints a
table and exits with 1 if there was a fault. --replay makes one input again and reads it.

Some 1,000 inputs a second and core: 50,000 of each reader, 1,150,000 in all, take about 20 minutes.
"""

from __future__ import annotations

import os
import tempfile
import traceback
from dataclasses import dataclass
from pathlib import Path

import torch
from fuzzing.campaign import Campaign
from fuzzing.mutate_checkpoints import MARKER
from fuzzing.reader import Reader, generate, write_files

from ovdistill.commands.main import run_options
from ovdistill.commands.options import CommonOptions, option
from ovdistill.core.errors import UserError
from ovdistill.core.files import write_json
from ovdistill.core.markdown import markdown_table


@dataclass(frozen=True, kw_only=True)
class FuzzOptions(CommonOptions):
    """Options of this benchmark."""

    inputs: int = option(2000, help="inputs of each reader", least=1)
    seed: int = option(0, help="makes the inputs; the same seed makes the same ones")
    readers: tuple[str, ...] = option((), help="readers to try (default: all)", metavar="NAME")
    processes: int = option(1, help="worker processes", least=1)
    out: Path = option(
        Path("work_dirs/fuzz"), flags=["-o"], help="folder for the report and faults"
    )
    replay: tuple[str, ...] = option(
        (), help="reader and number of one input, to make and read it again", metavar="WORD"
    )


def main(options: FuzzOptions) -> int:
    """Run the campaign, or one input of it; return the exit code."""
    torch.set_num_threads(1)  # threads do not survive the fork of a worker
    if options.replay:
        return replay(options)
    if (options.out / "faults.jsonl").exists():
        raise UserError(f"{options.out} has the faults of an earlier run; name another with -o")
    readers = find_readers(*options.readers)
    campaign = Campaign(readers, options.inputs, options.seed, options.processes, options.out)
    campaign.run()
    return report(campaign)


def find_readers(*words: str) -> list[Reader]:
    """Return the readers that the words name, several with commas between them; else all."""
    from fuzzing.readers import READERS  # everything that reads, which takes seconds to import

    names = [name for word in words for name in word.split(",")] or list(READERS)
    if unknown := [name for name in names if name not in READERS]:
        raise UserError(f"no reader {unknown[0]!r}; expected some of: {', '.join(READERS)}")
    return [READERS[name]() for name in names]


def report(campaign: Campaign) -> int:
    """Print the table and the faults, and write them; return the exit code."""
    header = ["reader", "inputs", "accepted", "refused", "faults", "slowest", "inputs / s"]
    rows = []
    for name, count in campaign.counts.items():
        rate = count.inputs / count.seconds if count.seconds else 0
        slowest = f"{1e3 * count.slowest:.0f} ms (number {count.slowest_number})"
        of_inputs = (count.inputs, count.accepted, count.refused, count.faults)
        rows.append([name, *map(str, of_inputs), slowest, f"{rate:.0f}"])
    print(markdown_table(header, rows))
    counts = campaign.counts.values()
    inputs, faults = sum(c.inputs for c in counts), sum(c.faults for c in counts)
    seconds = sum(count.seconds for count in counts)
    print(f"{inputs:,} inputs in {seconds:.0f} s of a core, {faults} faults")
    found = campaign.faults()
    for fault in found:
        print(
            f"{fault['count']} x {fault['reader']}: {fault['title']}; the smallest is number "
            f"{fault['number']}: {campaign.out / str(fault['folder'])}"
        )
    table = {name: vars(count) for name, count in campaign.counts.items()}
    write_json(campaign.out / "report.json", {"readers": table, "faults": found})
    return 1 if faults else 0


def replay(options: FuzzOptions) -> int:
    """Read one input in this process and say what became of it; return the exit code.

    Raises:
        UserError: no such reader, or no number.
    """
    if len(options.replay) != 2 or not options.replay[1].isdecimal():
        raise UserError(f"got --replay {' '.join(options.replay)}; expected READER NUMBER")
    (reader,), number = find_readers(options.replay[0]), int(options.replay[1])
    files = generate(reader, reader.seeds(), options.seed, number)
    kept = options.out.absolute() / f"{reader.name}-{number}"
    write_files(kept, files)
    print(f"input: {kept}")
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        write_files(Path(folder, "input"), files)
        try:
            reader.read(Path(folder, "input"))
        except UserError as error:
            print(f"refused: {error}")
            return 0
        except Exception:  # what a fault is, is what this command is asked to show
            traceback.print_exc()
            return 1
        finally:
            if Path(MARKER).exists():
                print("code of the input was run")
            os.chdir(before)
    print("accepted")
    return 0


if __name__ == "__main__":
    run_options(main)
