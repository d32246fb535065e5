package com.livepeer.analytics.flink;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.List;

/**
 * How far a partition was frozen: the offset behind its newest range, -1 before there is one, and that range's time,
 * epoch ms.
 */
record Progress(Place place, long nextOffset, long batchTime) {
  static Progress none(Place place) {
    return new Progress(place, -1, 0);
  }

  /** Behind these records. The time never runs back within a partition: a later range could look older. */
  Progress after(List<JudgedRecord> records) {
    long time = batchTime;
    for (JudgedRecord record : records) {
      time = Math.max(time, record.judgedAt);
    }
    return new Progress(place, records.get(records.size() - 1).offset + 1, time);
  }

  Progress later(Progress other) {
    return other.nextOffset > nextOffset ? other : this;
  }

  byte[] encoded() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    out.writeByte(Frames.VERSION);
    place.write(out);
    out.writeLong(nextOffset);
    out.writeLong(batchTime);
    return bytes.toByteArray();
  }

  static Progress decoded(byte[] state) throws IOException {
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(state));
    Frames.version(in, "progress");
    return new Progress(Place.read(in), in.readLong(), in.readLong());
  }
}
