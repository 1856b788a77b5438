"""A TensorBoard events file by TensorBoard's own writer, for test/unit/runs.

    python test/golden/make_tensorboard.py

tensorboard.tfevents
"""

from golden import output_folder
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

TRAIN = {"train/loss": 2.5, "train/learning_rate": 3e-4, "train/grad_norm": 1.25, "train/tokens_per_second": 321.5}


def scalars(step, values):
    summary = Summary(value=[Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()])
    return Event(wall_time=1700000000.5, step=step, summary=summary)


def main() -> None:
    path = output_folder(__doc__) / "tensorboard.tfevents"
    with path.open("wb") as file:
        writer = RecordWriter(file)
        for event in [
            Event(wall_time=1700000000.5, file_version="brain.Event:2"),
            scalars(1, TRAIN),
            scalars(300, {"eval/loss": 2.25}),
        ]:
            writer.write(event.SerializeToString())
    print(path)


if __name__ == "__main__":
    main()
