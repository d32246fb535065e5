package com.livepeer.analytics.flink;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.time.Duration;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.StateTtlConfig;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.PrimitiveArrayTypeInfo;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

/** Says who owns a record's claim: the position that claimed it first within the time that claims live. */
public class Dedup extends KeyedProcessFunction<String, JudgedRecord, JudgedRecord> {
  private final long millisToLive;
  private transient ValueState<byte[]> owner;

  public Dedup(long millisToLive) {
    this.millisToLive = millisToLive;
  }

  /** What records are told apart by: those that are no events have nothing in common. */
  public static String key(JudgedRecord record) {
    return record.claim.isEmpty() ? "\0" + record.position() : record.claim;
  }

  @Override
  public void open(OpenContext context) {
    ValueStateDescriptor<byte[]> claims =
        new ValueStateDescriptor<>("owner", PrimitiveArrayTypeInfo.BYTE_PRIMITIVE_ARRAY_TYPE_INFO);
    claims.enableTimeToLive(StateTtlConfig.newBuilder(Duration.ofMillis(millisToLive)).build());
    owner = getRuntimeContext().getState(claims);
  }

  @Override
  public void processElement(JudgedRecord record, Context context, Collector<JudgedRecord> out) throws Exception {
    if (!record.claim.isEmpty()) {
      byte[] claimed = owner.value();
      if (claimed == null) {
        owner.update(encoded(record.position()));
      } else {
        String position = decoded(claimed);
        record.owner = position.equals(record.position()) ? "" : position;
      }
    }
    if (record.body != null) {
      out.collect(record);
    }
  }

  private static byte[] encoded(String position) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    out.writeByte(Frames.VERSION);
    Frames.text(out, position);
    return bytes.toByteArray();
  }

  private static String decoded(byte[] claimed) throws IOException {
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(claimed));
    Frames.version(in, "a claim");
    return Frames.text(in);
  }
}
