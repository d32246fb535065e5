package com.livepeer.analytics.flink;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.BoundedOneInput;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;

/**
 * Packs consecutive records of a partition into one frame, as a call of a Python function costs much more than a record.
 *
 * <p>It sends everything before a barrier passes, so it has no state.
 */
public class Batching extends AbstractStreamOperator<byte[]>
    implements OneInputStreamOperator<KafkaRecord, byte[]>, BoundedOneInput {
  private final int mostRecords;
  private final int mostBytes;
  private final long mostMillis;
  private transient Map<Place, Held> held;

  public Batching(int mostRecords, int mostBytes, long mostMillis) {
    this.mostRecords = mostRecords;
    this.mostBytes = mostBytes;
    this.mostMillis = mostMillis;
  }

  @Override
  public void open() throws Exception {
    super.open();
    held = new LinkedHashMap<>();
    waitForOthers();
  }

  @Override
  public void processElement(StreamRecord<KafkaRecord> element) throws Exception {
    KafkaRecord record = element.getValue();
    Place place = new Place(record.topic, record.partition);
    Held some = held.computeIfAbsent(place, any -> new Held());
    some.records.add(record);
    some.bytes += record.body.length;
    if (some.records.size() >= mostRecords || some.bytes >= mostBytes) {
      held.remove(place);
      send(place, some.records);
    }
  }

  @Override
  public void prepareSnapshotPreBarrier(long checkpoint) throws Exception {
    sendAll();
  }

  @Override
  public void endInput() throws Exception {
    sendAll();
  }

  private void waitForOthers() {
    long now = getProcessingTimeService().getCurrentProcessingTime();
    getProcessingTimeService()
        .registerTimer(
            now + mostMillis,
            time -> {
              sendAll();
              waitForOthers();
            });
  }

  private void sendAll() throws IOException {
    for (Map.Entry<Place, Held> each : held.entrySet()) {
      send(each.getKey(), each.getValue().records);
    }
    held.clear();
  }

  private void send(Place place, List<KafkaRecord> records) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(1 << 16);
    DataOutputStream out = new DataOutputStream(bytes);
    out.writeByte(Frames.VERSION);
    place.write(out);
    out.writeInt(records.size());
    for (KafkaRecord record : records) {
      out.writeLong(record.offset);
      Frames.bytes(out, record.body);
    }
    output.collect(new StreamRecord<>(bytes.toByteArray()));
  }

  private static final class Held {
    final List<KafkaRecord> records = new ArrayList<>();
    long bytes;
  }
}
