package com.livepeer.analytics.flink;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;

/** A partition of a topic. */
record Place(String topic, int partition) {
  static Place read(DataInputStream in) throws IOException {
    return new Place(Frames.text(in), in.readInt());
  }

  void write(DataOutputStream out) throws IOException {
    Frames.text(out, topic);
    out.writeInt(partition);
  }

  /** Which of so many subtasks has the partition's ranges. */
  int subtask(int subtasks) {
    return Math.floorMod(31 * topic.hashCode() + partition, subtasks);
  }
}
