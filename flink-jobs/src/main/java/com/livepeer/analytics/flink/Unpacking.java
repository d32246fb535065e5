package com.livepeer.analytics.flink;

import java.io.DataInputStream;
import java.io.IOException;
import org.apache.flink.api.common.functions.FlatMapFunction;
import org.apache.flink.util.Collector;

/** Makes single records of a frame of judged ones. Ends the job, without another start, if Python says so instead. */
public class Unpacking implements FlatMapFunction<byte[], JudgedRecord> {
  @Override
  public void flatMap(byte[] frame, Collector<JudgedRecord> out) throws IOException {
    DataInputStream in = Stop.opened(frame, "judged records");
    long judgedAt = in.readLong();
    String fingerprint = Frames.text(in);
    Place place = Place.read(in);
    for (int left = in.readInt(); left > 0; left--) {
      JudgedRecord record = new JudgedRecord();
      record.topic = place.topic();
      record.partition = place.partition();
      record.judgedAt = judgedAt;
      record.fingerprint = fingerprint;
      record.offset = in.readLong();
      record.claim = Frames.text(in);
      record.body = Frames.bytes(in);
      out.collect(record);
    }
  }
}
