package com.livepeer.analytics.flink;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.kafka.clients.producer.ProducerRecord;

/** Makes records for topics of what Python sends, with their headers. */
public class OutgoingRecord implements KafkaRecordSerializationSchema<byte[]> {
  @Override
  public ProducerRecord<byte[], byte[]> serialize(byte[] frame, KafkaSinkContext context, Long timestamp) {
    try {
      DataInputStream in = Stop.opened(frame, "an outgoing record");
      String topic = Frames.text(in);
      byte[] key = Frames.bytes(in);
      ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(topic, key, Frames.bytes(in));
      for (int left = in.readInt(); left > 0; left--) {
        record.headers().add(Frames.text(in), Frames.bytes(in));
      }
      return record;
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }
}
