#!/usr/bin/env python3
"""Joins connections that were cut by the rotation of capture files, with DuckDB.

Cuts a capture into several, exports each as if on a machine of its own, joins their flows with
the query of docs/export.md, and compares the result with an export of the whole capture.

    pip install duckdb
    cargo run --release -- lab --bytes 20MB --loss 1% --write lab.pcapng
    python3 examples/rotated.py lab.pcapng

With --format parquet it needs a build with --features parquet.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

try:
    import duckdb
except ImportError:
    sys.exit("this needs DuckDB: type pip install duckdb")

ROOT = pathlib.Path(__file__).resolve().parent.parent
READERS = {"csv": "read_csv", "jsonl": "read_json", "parquet": "read_parquet"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("capture")
    parser.add_argument("--handclasp", default=str(ROOT / "target/release/handclasp"))
    parser.add_argument("--format", default="csv", choices=READERS)
    parser.add_argument("--files", type=int, default=4, help="how many files to cut it into")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        return compare(args, pathlib.Path(folder))


def run(args, *words):
    subprocess.run([args.handclasp, *map(str, words)], check=True)


def compare(args, folder):
    whole = folder / "whole"
    run(args, "export", args.capture, "-o", whole, "--format", args.format)
    count = duckdb.sql(f"SELECT max(frame) FROM {table(args, whole, 'packets')}").fetchall()[0][0]
    step = -(-count // args.files)
    for number in range(args.files):
        first, last = number * step + 1, (number + 1) * step
        part = folder / f"part_{number}.pcapng"
        filter = f"frame.number >= {first} && frame.number <= {last}"
        run(args, "show", args.capture, "-Y", filter, "-w", part)
        run(args, "export", part, "-o", folder / f"part_{number}", "--format", args.format)
    parts = table(args, folder / "part_*", "flows")
    # The query is the one of the document: what is documented works.
    document = (ROOT / "docs/export.md").read_text()
    query = re.search(r"```sql\n(.*?)```", document, re.S).group(1)
    base = duckdb.connect()
    base.sql(f"CREATE VIEW flows AS SELECT * FROM {parts}")
    base.sql(query)
    key = "key, client, client_port, server, server_port, start_ns, end_ns, ending"
    joined = base.sql(f"SELECT {key}, packets FROM connections ORDER BY start_ns, key").fetchall()
    expected = base.sql(
        f"SELECT {key}, client_packets + server_packets FROM {table(args, whole, 'flows')}"
        " ORDER BY start_ns, key"
    ).fetchall()
    cut = base.sql("SELECT count(*) FROM connections WHERE files > 1").fetchall()[0][0]
    rows = base.sql("SELECT count(*) FROM flows").fetchall()[0][0]
    print(f"{rows} rows in {args.files} files are {len(joined)} connections, {cut} of them cut;")
    apart = set(joined) ^ set(expected)
    if apart:
        print(f"{len(apart)} differ from the export of the whole capture:")
        for row in sorted(apart)[:6]:
            print("  ", row)
        return 1
    print("all of them are as in the export of the whole capture")
    return 0


def table(args, folder, name):
    """A table as DuckDB reads it, from one folder or from many."""
    return f"{READERS[args.format]}('{folder}/{name}.{args.format}')"


if __name__ == "__main__":
    sys.exit(main())
