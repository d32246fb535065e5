package com.livepeer.analytics.flink;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.AbstractStreamOperatorTestHarness;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.junit.jupiter.api.Test;

class GateTest {
  private static final int MOST = 100;

  @Test
  void nothingLeavesBeforeTheCheckpointThatHoldsItIsComplete() throws Exception {
    try (Harness gate = new Harness(1, 0, null)) {
      gate.give(0, 0, 1, 2);
      gate.snapshot(1);
      gate.give(0, 3);
      assertEquals(List.of(), gate.sent());
      gate.complete(1);
      Records.Read range = gate.read().get(0);
      assertEquals(List.of(0L, 1L, 2L), range.offsets());
      assertEquals(1, gate.sent().size());
      assertTrue(!range.repeated());
    }
  }

  @Test
  void aNotificationThatWasMissedIsMadeUpForByTheNext() throws Exception {
    try (Harness gate = new Harness(1, 0, null)) {
      gate.give(0, 0);
      gate.snapshot(1);
      gate.give(0, 1);
      gate.snapshot(2);
      gate.complete(2);
      assertEquals(List.of(List.of(0L), List.of(1L)), gate.read().stream().map(Records.Read::offsets).toList());
    }
  }

  @Test
  void aCheckpointThatFailedLosesNothing() throws Exception {
    OperatorSubtaskState state;
    try (Harness gate = new Harness(1, 0, null)) {
      gate.give(0, 0);
      gate.snapshot(1); // never complete
      state = gate.snapshot(2);
    }
    try (Harness gate = new Harness(1, 0, state)) {
      assertEquals(List.of(0L), gate.read().get(0).offsets());
    }
  }

  @Test
  void rangesAreRepeatedAfterARestoreAsTheyWere() throws Exception {
    OperatorSubtaskState state;
    byte[] first;
    try (Harness gate = new Harness(1, 0, null)) {
      gate.give(0, 0, 1);
      state = gate.snapshot(1);
      gate.complete(1);
      first = gate.sent().get(0);
    }
    try (Harness gate = new Harness(1, 0, state)) {
      byte[] again = gate.sent().get(0);
      assertEquals(1, again[1], "marked as repeated");
      again = again.clone();
      again[1] = 0;
      assertArrayEquals(first, again);
      gate.snapshot(2);
      gate.complete(2);
      assertEquals(1, gate.sent().size(), "once only");
    }
  }

  @Test
  void whatWasSentIsNotInTheNextCheckpoint() throws Exception {
    OperatorSubtaskState state;
    try (Harness gate = new Harness(1, 0, null)) {
      gate.give(0, 0);
      gate.snapshot(1);
      gate.complete(1);
      state = gate.snapshot(2);
    }
    try (Harness gate = new Harness(1, 0, state)) {
      assertEquals(List.of(), gate.sent());
    }
  }

  @Test
  void aJobThatIsDrainedSendsAllAndKeepsNothing() throws Exception {
    OperatorSubtaskState state;
    try (Harness gate = new Harness(1, 0, null)) {
      gate.give(0, 0);
      gate.snapshot(1);
      gate.give(0, 1, 2);
      gate.end();
      assertEquals(List.of(List.of(0L), List.of(1L, 2L)), gate.read().stream().map(Records.Read::offsets).toList());
      state = gate.snapshot(2);
      gate.complete(2);
      assertEquals(2, gate.sent().size());
    }
    try (Harness gate = new Harness(1, 0, state)) {
      assertEquals(List.of(), gate.sent());
    }
  }

  @Test
  void rangesHaveALimitAndAscendWhateverOrderRecordsCameIn() throws Exception {
    try (Harness gate = new Harness(1, 0, null)) {
      for (long offset = 2 * MOST + 4; offset >= 0; offset--) {
        gate.give(0, offset);
      }
      gate.snapshot(1);
      gate.complete(1);
      List<Records.Read> ranges = gate.read();
      assertEquals(List.of(MOST, MOST, 5), ranges.stream().map(range -> range.offsets().size()).toList());
      List<Long> all = new ArrayList<>();
      ranges.forEach(range -> all.addAll(range.offsets()));
      for (int at = 0; at < all.size(); at++) {
        assertEquals(at, all.get(at));
      }
    }
  }

  @Test
  void aRangeSaysWhereTheOneBeforeEndedAlsoAfterARestore() throws Exception {
    OperatorSubtaskState state;
    try (Harness gate = new Harness(1, 0, null)) {
      gate.give(0, 5, 6);
      state = gate.snapshot(1);
      gate.complete(1);
      assertEquals(-1, gate.read().get(0).previousEnd());
    }
    try (Harness gate = new Harness(1, 0, state)) {
      gate.give(0, 9);
      gate.snapshot(2);
      gate.complete(2);
      assertEquals(7, gate.read().get(1).previousEnd());
    }
  }

  @Test
  void timeNeverRunsBackWithinAPartition() throws Exception {
    OperatorSubtaskState state;
    try (Harness gate = new Harness(1, 0, null)) {
      gate.give(Records.judged(0, 0, "a", 2_000));
      gate.give(Records.judged(1, 0, "b", 500));
      state = gate.snapshot(1);
    }
    try (Harness gate = new Harness(1, 0, state)) {
      gate.give(Records.judged(0, 1, "c", 1_000));
      gate.give(Records.judged(1, 1, "d", 1_000));
      gate.snapshot(2);
      gate.complete(2);
      List<Long> times = gate.read().stream().map(Records.Read::batchTime).toList();
      assertEquals(List.of(2_000L, 500L, 2_000L, 1_000L), times);
    }
  }

  @Test
  void aRangeOfAnotherFormatIsRefused() throws Exception {
    byte[] range = RangeFrame.of(-1, 0, List.of(Records.judged(0, 0)));
    range[0] = 9;
    String why = assertThrows(java.io.IOException.class, () -> RangeFrame.repeated(range)).getMessage();
    assertTrue(why.contains("format 9, and this jar reads format 1"), why);
  }

  @Test
  void nothingIsLostOrDoubledOverRestoresAtAnyParallelism() throws Exception {
    for (long seed = 0; seed < 40; seed++) {
      new Story(seed).tell();
    }
  }

  /** A job that is killed and rescaled at random: what is written must be each record once, by ranges that never change. */
  private static final class Story {
    private final long seed;
    private final Random random;
    private final TreeSet<String> written = new TreeSet<>();
    private final long[] read = new long[3];
    private long[] readAtCheckpoint = new long[3];
    private OperatorSubtaskState state;
    private int parallelismOfState = 1;
    private long checkpoint;

    Story(long seed) {
      this.seed = seed;
      this.random = new Random(seed);
    }

    void tell() throws Exception {
      for (int run = 0; run < 6; run++) {
        live(run == 5 ? 1 : 1 + random.nextInt(2), run == 5);
      }
      long expected = Arrays.stream(read).sum();
      assertEquals(expected, written.size(), "seed " + seed);
    }

    private void live(int parallelism, boolean toTheEnd) throws Exception {
      System.arraycopy(readAtCheckpoint, 0, read, 0, read.length);
      List<Harness> gates = new ArrayList<>();
      for (int subtask = 0; subtask < parallelism; subtask++) {
        gates.add(new Harness(parallelism, subtask, redistributed(parallelism, subtask)));
      }
      gates.forEach(gate -> write(gate, true));
      for (int step = 0; step < 4; step++) {
        for (int records = random.nextInt(250); records > 0; records--) {
          int partition = random.nextInt(read.length);
          long offset = read[partition]++;
          gates.get(new Place(Records.TOPIC, partition).subtask(parallelism)).give(partition, offset);
        }
        checkpoint++;
        List<OperatorSubtaskState> states = new ArrayList<>();
        for (Harness gate : gates) {
          states.add(gate.snapshot(checkpoint));
        }
        if (!toTheEnd && random.nextInt(3) == 0) {
          break; // killed before the checkpoint is complete
        }
        state = AbstractStreamOperatorTestHarness.repackageState(states.toArray(OperatorSubtaskState[]::new));
        parallelismOfState = parallelism;
        readAtCheckpoint = read.clone();
        for (Harness gate : gates) {
          if (toTheEnd || random.nextInt(4) > 0) {
            gate.complete(checkpoint);
            write(gate, false);
          }
        }
        if (!toTheEnd && random.nextInt(4) == 0) {
          break;
        }
      }
      for (Harness gate : gates) {
        gate.close();
      }
    }

    private OperatorSubtaskState redistributed(int parallelism, int subtask) throws Exception {
      return state == null
          ? null
          : AbstractStreamOperatorTestHarness.repartitionOperatorState(
              state, Topology.MAX_PARALLELISM, parallelismOfState, parallelism, subtask);
    }

    /** Writes as the sink does: a range by its name once, a record never by ranges of two names. */
    private void write(Harness gate, boolean repeated) {
      for (Records.Read range : gate.taken()) {
        assertEquals(repeated, range.repeated(), "seed " + seed);
        for (long offset : range.offsets()) {
          String name = range.partition() + ":" + offset;
          String rival = written.ceiling(name + " ");
          String whole = name + " of " + range.offsets().get(0) + "+" + range.offsets().size() + "@" + range.batchTime();
          if (rival != null && rival.startsWith(name + " ")) {
            assertEquals(rival, whole, "seed " + seed);
          }
          written.add(whole);
        }
      }
    }
  }

  private static final class Harness implements AutoCloseable {
    private final OneInputStreamOperatorTestHarness<JudgedRecord, byte[]> harness;
    private final Gate operator;
    private int taken;

    Harness(int parallelism, int subtask, OperatorSubtaskState state) throws Exception {
      operator = new Gate(MOST, 1 << 20);
      harness =
          new OneInputStreamOperatorTestHarness<>(
              (OneInputStreamOperator<JudgedRecord, byte[]>) operator, Topology.MAX_PARALLELISM, parallelism, subtask);
      harness.setup();
      if (state != null) {
        harness.initializeState(state);
      }
      harness.open();
    }

    void give(int partition, long... offsets) throws Exception {
      for (long offset : offsets) {
        give(Records.judged(partition, offset));
      }
    }

    void give(JudgedRecord record) throws Exception {
      harness.processElement(new StreamRecord<>(record));
    }

    OperatorSubtaskState snapshot(long checkpoint) throws Exception {
      operator.prepareSnapshotPreBarrier(checkpoint);
      return harness.snapshot(checkpoint, checkpoint);
    }

    void complete(long checkpoint) throws Exception {
      harness.notifyOfCompletedCheckpoint(checkpoint);
    }

    void end() throws Exception {
      operator.endInput();
    }

    List<byte[]> sent() {
      return harness.extractOutputValues();
    }

    List<Records.Read> read() throws Exception {
      List<Records.Read> found = new ArrayList<>();
      for (byte[] frame : sent()) {
        found.add(Records.Read.of(frame));
      }
      return found;
    }

    /** What was sent since this was asked last. */
    List<Records.Read> taken() {
      try {
        List<Records.Read> all = read();
        List<Records.Read> some = all.subList(taken, all.size());
        taken = all.size();
        return some;
      } catch (Exception error) {
        throw new AssertionError(error);
      }
    }

    @Override
    public void close() throws Exception {
      harness.close();
    }
  }
}
