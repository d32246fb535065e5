package com.livepeer.analytics.flink;

import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import org.apache.flink.api.common.functions.MapFunction;
import org.apache.flink.runtime.execution.SuppressRestartsException;

/** Ends the job, without another start, if Python says that only a person can help; lets everything else on. */
public class Stop implements MapFunction<byte[], byte[]> {
  private static final int REASON = 1;

  @Override
  public byte[] map(byte[] frame) throws IOException {
    opened(frame, "an outgoing record");
    return frame;
  }

  /**
   * What a frame of Python holds, behind its version and kind. Throws SuppressRestartsException if the frame is the
   * reason to end the job.
   */
  static DataInputStream opened(byte[] frame, String what) throws IOException {
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(frame));
    Frames.version(in, what);
    if (in.readByte() == REASON) {
      throw new SuppressRestartsException(new IllegalStateException(Frames.text(in)));
    }
    return in;
  }
}
