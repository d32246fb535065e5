package com.livepeer.analytics.flink;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.apache.flink.runtime.execution.SuppressRestartsException;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;

/** The file frames.txt holds what both ends make of the same records; the test of lpa_flink.frames reads it, too. */
class FramesTest {
  @Test
  void recordsOfAnyKindAreBatchedWhole() throws Exception {
    RecordHeaders headers = new RecordHeaders();
    headers.add("trace", new byte[] {1, 2});
    headers.add("empty", null);
    List<byte[]> frames =
        batched(
            record(3, "{\"id\":\"é\"}".getBytes(StandardCharsets.UTF_8), "key".getBytes(), headers, 1_700_000_000_000L),
            record(4, null, null, new RecordHeaders(), -1),
            record(7, new byte[] {(byte) 0xff, (byte) 0xfe, 0}, new byte[0], new RecordHeaders(), 0));
    assertEquals(golden("batch"), hex(frames.get(0)));
  }

  @Test
  void aLargeRecordPassesThrough() throws Exception {
    byte[] large = new byte[5 << 20];
    large[large.length - 1] = 7;
    byte[] frame = batched(record(0, large, null, new RecordHeaders(), 0)).get(0);
    assertEquals(7, frame[frame.length - 4 - 4 - 1], "before the null key and the count of headers");
  }

  @Test
  void judgedRecordsBecomeTheRangeThatPythonReads() throws Exception {
    List<JudgedRecord> records = new ArrayList<>();
    new Unpacking().flatMap(bytes("judged"), collector(records));
    assertEquals(List.of("a claim", "", "org\u001fa claim"), records.stream().map(record -> record.claim).toList());
    records.get(2).owner = "another:1:5";
    assertEquals(golden("range"), hex(RangeFrame.of(2, records.get(0).judgedAt, records)));
  }

  @Test
  void claimsOfStoredEventsHaveNoBody() throws Exception {
    List<JudgedRecord> records = new ArrayList<>();
    new Unpacking().flatMap(bytes("claims"), collector(records));
    assertEquals(List.of("one", "two"), records.stream().map(record -> record.claim).toList());
    assertEquals("events:2:9", records.get(1).position());
    assertNull(records.get(0).body);
  }

  @Test
  void anOutgoingRecordKeepsItsKeyAndHeaders() throws Exception {
    byte[] frame = new Stop().map(bytes("outgoing"));
    ProducerRecord<byte[], byte[]> record = new OutgoingRecord().serialize(frame, null, null);
    assertEquals("rejects", record.topic());
    assertArrayEquals("the key".getBytes(), record.key());
    assertArrayEquals(new byte[] {(byte) 0xff, 0}, record.value());
    assertArrayEquals("MISSING_FIELD".getBytes(), record.headers().lastHeader("reason").value());
    assertNull(record.partition());
  }

  @Test
  void aStopEndsTheJobForGood() {
    String why = assertThrows(SuppressRestartsException.class, () -> new Stop().map(bytes("stop"))).getCause().getMessage();
    assertEquals("too many dead letters: look at the producer", why);
  }

  @Test
  void aStopBeforeTheGateEndsTheJobForGoodToo() {
    Unpacking unpacking = new Unpacking();
    String why =
        assertThrows(SuppressRestartsException.class, () -> unpacking.flatMap(bytes("stop"), collector(new ArrayList<>())))
            .getCause()
            .getMessage();
    assertEquals("too many dead letters: look at the producer", why);
  }

  @Test
  void aFrameOfAnotherFormatIsRefused() throws IOException {
    byte[] frame = bytes("judged");
    frame[0] = 2;
    assertThrows(IOException.class, () -> new Unpacking().flatMap(frame, collector(new ArrayList<>())));
  }

  @Test
  void aBatchIsNotHeldOverABarrierAndHasALimit() throws Exception {
    Batching operator = new Batching(2, 1 << 20, 1_000);
    try (var harness = new OneInputStreamOperatorTestHarness<>((OneInputStreamOperator<KafkaRecord, byte[]>) operator)) {
      harness.open();
      for (long offset = 0; offset < 3; offset++) {
        harness.processElement(new StreamRecord<>(KafkaRecord.of(record(offset, null, null, new RecordHeaders(), 0))));
      }
      assertEquals(1, harness.extractOutputValues().size());
      operator.prepareSnapshotPreBarrier(1);
      assertEquals(2, harness.extractOutputValues().size());
      harness.processElement(new StreamRecord<>(KafkaRecord.of(record(3, null, null, new RecordHeaders(), 0))));
      harness.setProcessingTime(1_000);
      assertEquals(3, harness.extractOutputValues().size(), "after its time");
    }
  }

  private static List<byte[]> batched(List<ConsumerRecord<byte[], byte[]>> records) throws Exception {
    Batching operator = new Batching(100, 1 << 20, 1_000);
    try (var harness = new OneInputStreamOperatorTestHarness<>((OneInputStreamOperator<KafkaRecord, byte[]>) operator)) {
      harness.open();
      for (ConsumerRecord<byte[], byte[]> each : records) {
        harness.processElement(new StreamRecord<>(KafkaRecord.of(each)));
      }
      operator.endInput();
      return harness.extractOutputValues();
    }
  }

  @SafeVarargs
  private static List<byte[]> batched(ConsumerRecord<byte[], byte[]>... records) throws Exception {
    return batched(List.of(records));
  }

  private static ConsumerRecord<byte[], byte[]> record(
      long offset, byte[] value, byte[] key, RecordHeaders headers, long time) {
    return new ConsumerRecord<>(
        "events", 2, offset, time, TimestampType.CREATE_TIME, -1, -1, key, value, headers, Optional.empty());
  }

  private static <T> Collector<T> collector(List<T> into) {
    return new Collector<>() {
      @Override
      public void collect(T each) {
        into.add(each);
      }

      @Override
      public void close() {}
    };
  }

  private static byte[] bytes(String name) throws IOException {
    return HexFormat.of().parseHex(golden(name));
  }

  private static String hex(byte[] frame) {
    return HexFormat.of().formatHex(frame);
  }

  private static String golden(String name) throws IOException {
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(FramesTest.class.getResourceAsStream("/frames.txt"), StandardCharsets.UTF_8))) {
      return lines
          .lines()
          .filter(line -> line.startsWith(name + " "))
          .map(line -> line.substring(name.length() + 1))
          .findFirst()
          .orElseThrow(() -> new IllegalStateException("frames.txt has no " + name));
    }
  }
}
