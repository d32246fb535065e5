package com.livepeer.analytics.flink;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeinfo.PrimitiveArrayTypeInfo;
import org.apache.flink.runtime.state.StateInitializationContext;
import org.apache.flink.runtime.state.StateSnapshotContext;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.BoundedOneInput;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;

/**
 * Makes a checkpoint the step "prepare" of delivery: nothing is written that no completed checkpoint holds.
 *
 * <p>What came between two barriers is frozen as ranges, with their time and their duplicates, in the state of the
 * checkpoint. They are let on when that checkpoint is complete. After a restore they are sent again, marked as repeated.
 * So the records, the time and the duplicates of a range that was begun never change.
 */
public class Gate extends AbstractStreamOperator<byte[]>
    implements OneInputStreamOperator<JudgedRecord, byte[]>, BoundedOneInput {
  private final int mostRecords;
  private final int mostBytes;

  private transient Map<Place, List<JudgedRecord>> open;
  private transient Map<Place, Progress> progress;
  private transient TreeMap<Long, List<byte[]>> frozen;
  private transient List<byte[]> restored;
  private transient ListState<byte[]> rangeState;
  private transient ListState<byte[]> progressState;
  private transient long heldRecords;

  public Gate(int mostRecords, int mostBytes) {
    this.mostRecords = mostRecords;
    this.mostBytes = mostBytes;
  }

  @Override
  public void initializeState(StateInitializationContext context) throws Exception {
    super.initializeState(context);
    open = new LinkedHashMap<>();
    progress = new LinkedHashMap<>();
    frozen = new TreeMap<>();
    restored = new ArrayList<>();
    rangeState = context.getOperatorStateStore().getListState(descriptor("ranges"));
    // Every subtask is given all of it and keeps its own partitions', which may be others' than before.
    progressState = context.getOperatorStateStore().getUnionListState(descriptor("progress"));
    rangeState.get().forEach(restored::add);
    int subtasks = getRuntimeContext().getTaskInfo().getNumberOfParallelSubtasks();
    int own = getRuntimeContext().getTaskInfo().getIndexOfThisSubtask();
    for (byte[] each : progressState.get()) {
      Progress found = Progress.decoded(each);
      if (found.place().subtask(subtasks) == own) {
        progress.merge(found.place(), found, Progress::later);
      }
    }
  }

  @Override
  public void open() throws Exception {
    super.open();
    getMetricGroup().gauge("waitingRecords", () -> heldRecords);
    getMetricGroup().gauge("waitingRanges", () -> frozen.values().stream().mapToInt(List::size).sum());
    if (!restored.isEmpty()) {
      LOG.info("{} ranges of the restored checkpoint are repeated", restored.size());
    }
    for (byte[] range : restored) {
      output.collect(new StreamRecord<>(RangeFrame.repeated(range)));
    }
    restored = null;
  }

  @Override
  public void processElement(StreamRecord<JudgedRecord> element) {
    JudgedRecord record = element.getValue();
    open.computeIfAbsent(record.place(), any -> new ArrayList<>()).add(record);
    heldRecords++;
  }

  @Override
  public void prepareSnapshotPreBarrier(long checkpoint) throws Exception {
    List<byte[]> ranges = freezeAll();
    if (!ranges.isEmpty()) {
      frozen.computeIfAbsent(checkpoint, any -> new ArrayList<>()).addAll(ranges);
    }
  }

  /** A job that is drained goes on with nothing: all is written before its last savepoint, which holds no range. */
  @Override
  public void endInput() throws Exception {
    frozen.values().forEach(this::send);
    frozen.clear();
    send(freezeAll());
  }

  private List<byte[]> freezeAll() throws IOException {
    List<byte[]> ranges = new ArrayList<>();
    for (Map.Entry<Place, List<JudgedRecord>> each : open.entrySet()) {
      freeze(each.getKey(), each.getValue(), ranges);
    }
    open.clear();
    heldRecords = 0;
    return ranges;
  }

  private void freeze(Place place, List<JudgedRecord> records, List<byte[]> ranges) throws IOException {
    // They came by several subtasks of the dedup, each of which keeps the order of its own.
    records.sort(Comparator.comparingLong(record -> record.offset));
    int first = 0;
    while (first < records.size()) {
      int behind = first;
      long bytes = 0;
      while (behind < records.size() && behind - first < mostRecords && (behind == first || bytes < mostBytes)) {
        bytes += records.get(behind++).body.length;
      }
      List<JudgedRecord> some = records.subList(first, behind);
      Progress before = progress.getOrDefault(place, Progress.none(place));
      Progress after = before.after(some);
      ranges.add(RangeFrame.of(before.nextOffset(), after.batchTime(), some));
      progress.put(place, after);
      first = behind;
    }
  }

  @Override
  public void snapshotState(StateSnapshotContext context) throws Exception {
    super.snapshotState(context);
    List<byte[]> ranges = new ArrayList<>();
    frozen.values().forEach(ranges::addAll);
    rangeState.update(ranges);
    List<byte[]> places = new ArrayList<>();
    for (Progress each : progress.values()) {
      places.add(each.encoded());
    }
    progressState.update(places);
  }

  @Override
  public void notifyCheckpointComplete(long checkpoint) throws Exception {
    super.notifyCheckpointComplete(checkpoint);
    Map<Long, List<byte[]>> complete = frozen.headMap(checkpoint, true);
    List<List<byte[]>> ready = new ArrayList<>(complete.values());
    complete.clear();
    ready.forEach(this::send);
  }

  private void send(List<byte[]> ranges) {
    for (byte[] range : ranges) {
      output.collect(new StreamRecord<>(range));
    }
  }

  private static ListStateDescriptor<byte[]> descriptor(String name) {
    return new ListStateDescriptor<>(name, PrimitiveArrayTypeInfo.BYTE_PRIMITIVE_ARRAY_TYPE_INFO);
  }
}
