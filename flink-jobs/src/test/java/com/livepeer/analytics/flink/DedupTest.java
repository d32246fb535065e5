package com.livepeer.analytics.flink;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.apache.flink.state.rocksdb.EmbeddedRocksDBStateBackend;
import org.apache.flink.streaming.api.operators.KeyedProcessOperator;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.AbstractStreamOperatorTestHarness;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.junit.jupiter.api.Test;

class DedupTest {
  private static final long MILLIS_TO_LIVE = 60_000;

  @Test
  void theFirstPositionOwnsAClaim() throws Exception {
    try (var dedup = harness(1, 0, null)) {
      assertEquals("", owner(dedup, Records.judged(0, 0, "a", 0)));
      assertEquals("events:0:0", owner(dedup, Records.judged(1, 7, "a", 0)));
      assertEquals("", owner(dedup, Records.judged(1, 8, "b", 0)));
    }
  }

  @Test
  void aPositionThatComesAgainIsNoDuplicate() throws Exception {
    try (var dedup = harness(1, 0, null)) {
      owner(dedup, Records.judged(0, 0, "a", 0));
      assertEquals("", owner(dedup, Records.judged(0, 0, "a", 0)));
    }
  }

  @Test
  void whatIsNoEventClaimsNothing() throws Exception {
    try (var dedup = harness(1, 0, null)) {
      assertEquals("", owner(dedup, Records.judged(0, 0, "", 0)));
      assertEquals("", owner(dedup, Records.judged(0, 1, "", 0)));
    }
  }

  @Test
  void whatAStoredEventClaimsIsOwnedAndNotPassedOn() throws Exception {
    try (var dedup = harness(1, 0, null)) {
      JudgedRecord stored = Records.judged(0, 5, "a", 0);
      stored.body = null;
      dedup.processElement(new StreamRecord<>(stored));
      assertEquals(List.of(), dedup.extractOutputValues());
      assertEquals("events:0:5", owner(dedup, Records.judged(0, 9, "a", 0)));
      assertEquals("", owner(dedup, Records.judged(0, 5, "a", 0)), "read again it is itself");
    }
  }

  @Test
  void claimsEndAfterTheirTime() throws Exception {
    try (var dedup = harness(1, 0, null)) {
      dedup.setStateTtlProcessingTime(0);
      owner(dedup, Records.judged(0, 0, "a", 0));
      dedup.setStateTtlProcessingTime(MILLIS_TO_LIVE - 1);
      assertEquals("events:0:0", owner(dedup, Records.judged(0, 1, "a", 0)));
      dedup.setStateTtlProcessingTime(MILLIS_TO_LIVE + 1);
      assertEquals("", owner(dedup, Records.judged(0, 2, "a", 0)));
    }
  }

  @Test
  void claimsAreThereAfterARestoreAtAnyParallelism() throws Exception {
    OperatorSubtaskState state;
    try (var dedup = harness(1, 0, null)) {
      for (int number = 0; number < 50; number++) {
        owner(dedup, Records.judged(0, number, "claim " + number, 0));
      }
      state = dedup.snapshot(1, 1);
    }
    try (var first = harness(2, 0, state);
        var second = harness(2, 1, state)) {
      for (int number = 0; number < 50; number++) {
        JudgedRecord record = Records.judged(1, number, "claim " + number, 0);
        int subtask =
            KeyGroupRangeAssignment.assignKeyToParallelOperator(Dedup.key(record), Topology.MAX_PARALLELISM, 2);
        assertEquals("events:0:" + number, owner(List.of(first, second).get(subtask), record));
      }
    }
  }

  private static String owner(
      KeyedOneInputStreamOperatorTestHarness<String, JudgedRecord, JudgedRecord> dedup, JudgedRecord record)
      throws Exception {
    dedup.processElement(new StreamRecord<>(record));
    List<JudgedRecord> all = dedup.extractOutputValues();
    return all.get(all.size() - 1).owner;
  }

  private static KeyedOneInputStreamOperatorTestHarness<String, JudgedRecord, JudgedRecord> harness(
      int parallelism, int subtask, OperatorSubtaskState state) throws Exception {
    var harness =
        new KeyedOneInputStreamOperatorTestHarness<>(
            new KeyedProcessOperator<>(new Dedup(MILLIS_TO_LIVE)),
            Dedup::key,
            Types.STRING,
            Topology.MAX_PARALLELISM,
            parallelism,
            subtask);
    harness.setStateBackend(new EmbeddedRocksDBStateBackend());
    harness.setup();
    if (state != null) {
      harness.initializeState(
          AbstractStreamOperatorTestHarness.repartitionOperatorState(
              state, Topology.MAX_PARALLELISM, 1, parallelism, subtask));
    }
    harness.open();
    return harness;
  }
}
