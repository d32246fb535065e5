package com.livepeer.analytics.flink;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.List;

/** A range as it lies in state and goes to Python: everything that decides its rows. */
final class RangeFrame {
  private static final int REPEATED = 1;
  /** Where the mark lies: behind the version. */
  private static final int MARK = 1;

  private RangeFrame() {}

  /**
   * The frame of a range.
   *
   * @param previousEnd where the range before ended, exclusive, -1 if there is none: offsets from there on that no record has are
   *     gaps
   */
  static byte[] of(long previousEnd, long batchTime, List<JudgedRecord> records) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(1 << 20);
    DataOutputStream out = new DataOutputStream(bytes);
    out.writeByte(Frames.VERSION);
    out.writeByte(0);
    out.writeLong(batchTime);
    Frames.text(out, records.get(0).fingerprint);
    records.get(0).place().write(out);
    out.writeLong(previousEnd);
    out.writeInt(records.size());
    for (JudgedRecord record : records) {
      out.writeLong(record.offset);
      Frames.text(out, record.owner);
      Frames.bytes(out, record.body);
    }
    return bytes.toByteArray();
  }

  /** The same range, marked as one of which some may be written. Throws if another version wrote it. */
  static byte[] repeated(byte[] range) throws IOException {
    Frames.version(new DataInputStream(new ByteArrayInputStream(range)), "a range");
    byte[] marked = range.clone();
    marked[MARK] = REPEATED;
    return marked;
  }
}
