package com.livepeer.analytics.flink;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * How records travel as bytes between the operators in Java and the functions in Python, and how they lie in state.
 *
 * <p>Big-endian. A text or a value is its length as an int, then its bytes; the length -1 stands for null. Each frame
 * begins with a version byte. The module {@code lpa_flink.frames} is the other end.
 */
public final class Frames {
  public static final byte VERSION = 1;

  private Frames() {}

  public static void text(DataOutputStream out, String text) throws IOException {
    bytes(out, text.getBytes(StandardCharsets.UTF_8));
  }

  public static String text(DataInputStream in) throws IOException {
    return new String(bytes(in), StandardCharsets.UTF_8);
  }

  public static void bytes(DataOutputStream out, byte[] bytes) throws IOException {
    if (bytes == null) {
      out.writeInt(-1);
    } else {
      out.writeInt(bytes.length);
      out.write(bytes);
    }
  }

  public static byte[] bytes(DataInputStream in) throws IOException {
    int length = in.readInt();
    if (length < 0) {
      return null;
    }
    byte[] found = in.readNBytes(length);
    if (found.length < length) {
      throw new IOException("a frame ends after " + found.length + " of " + length + " bytes");
    }
    return found;
  }

  /** Reads the version byte. Throws if another version wrote the frame: a newer one, as older ones are read. */
  public static void version(DataInputStream in, String what) throws IOException {
    byte version = in.readByte();
    if (version != VERSION) {
      throw new IOException(
          what + " of format " + version + ", and this jar reads format " + VERSION
              + ": use the jar of the version that wrote it, or begin with another savepoint");
    }
  }
}
