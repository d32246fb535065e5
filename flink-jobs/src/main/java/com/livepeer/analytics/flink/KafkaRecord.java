package com.livepeer.analytics.flink;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;

/** A record of an input topic. {@code body} holds its time, value, key and headers; only Python reads it. */
public class KafkaRecord {
  public String topic = "";
  public int partition;
  public long offset;
  public byte[] body = new byte[0];

  public KafkaRecord() {}

  static KafkaRecord of(ConsumerRecord<byte[], byte[]> read) throws IOException {
    KafkaRecord record = new KafkaRecord();
    record.topic = read.topic();
    record.partition = read.partition();
    record.offset = read.offset();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(64 + (read.value() == null ? 0 : read.value().length));
    DataOutputStream out = new DataOutputStream(bytes);
    out.writeLong(read.timestamp());
    Frames.bytes(out, read.value());
    Frames.bytes(out, read.key());
    Header[] headers = read.headers().toArray();
    out.writeInt(headers.length);
    for (Header header : headers) {
      Frames.text(out, header.key());
      Frames.bytes(out, header.value());
    }
    record.body = bytes.toByteArray();
    return record;
  }
}
