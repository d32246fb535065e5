package com.livepeer.analytics.flink;

import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Judged records for tests, and ranges read back. */
final class Records {
  static final String TOPIC = "events";

  private Records() {}

  static JudgedRecord judged(int partition, long offset) {
    return judged(partition, offset, "claim-" + partition + "-" + offset, 1_000);
  }

  static JudgedRecord judged(int partition, long offset, String claim, long judgedAt) {
    JudgedRecord record = new JudgedRecord();
    record.topic = TOPIC;
    record.partition = partition;
    record.offset = offset;
    record.body = new byte[] {(byte) partition, (byte) offset};
    record.claim = claim;
    record.judgedAt = judgedAt;
    record.fingerprint = "rules";
    return record;
  }

  /** A range as Python reads it. */
  record Read(
      boolean repeated, long batchTime, int partition, long previousEnd, List<Long> offsets, List<String> owners) {
    static Read of(byte[] frame) throws IOException {
      DataInputStream in = new DataInputStream(new ByteArrayInputStream(frame));
      Frames.version(in, "a range");
      boolean repeated = in.readByte() == 1;
      long batchTime = in.readLong();
      Frames.text(in);
      Place place = Place.read(in);
      long previousEnd = in.readLong();
      List<Long> offsets = new ArrayList<>();
      List<String> owners = new ArrayList<>();
      for (int left = in.readInt(); left > 0; left--) {
        offsets.add(in.readLong());
        owners.add(Frames.text(in));
        Frames.bytes(in);
      }
      return new Read(repeated, batchTime, place.partition(), previousEnd, offsets, owners);
    }
  }
}
