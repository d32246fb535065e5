package com.livepeer.analytics.flink;

import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.Partitioner;
import org.apache.flink.api.common.typeinfo.PrimitiveArrayTypeInfo;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.java.functions.KeySelector;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.clients.consumer.OffsetResetStrategy;

/**
 * The job's parts in Java, which {@code lpa_flink.job} puts its Python functions between.
 *
 * <p>Each operator has a uid: a savepoint finds its state by it. Never rename one.
 */
public final class Topology {
  /** State is divided into so many groups for good: more subtasks than that are not possible. */
  public static final int MAX_PARALLELISM = 128;

  private static final TypeInformation<byte[]> BYTES = PrimitiveArrayTypeInfo.BYTE_PRIMITIVE_ARRAY_TYPE_INFO;
  private static final int BATCH_BYTES = 4 << 20;
  private static final long BATCH_MILLIS = 200;

  private Topology() {}

  /** Frames of the topics' records. Reading begins where the group has committed, or at the topic's beginning. */
  public static DataStream<byte[]> records(
      StreamExecutionEnvironment environment,
      List<String> topics,
      String group,
      Map<String, String> client,
      int recordsOfABatch) {
    KafkaSource<KafkaRecord> source =
        KafkaSource.<KafkaRecord>builder()
            .setTopics(topics)
            .setGroupId(group)
            .setStartingOffsets(OffsetsInitializer.committedOffsets(OffsetResetStrategy.EARLIEST))
            .setDeserializer(new KafkaRecordReader())
            .setProperties(properties(client))
            .build();
    return environment
        .fromSource(source, WatermarkStrategy.noWatermarks(), "records", TypeInformation.of(KafkaRecord.class))
        .uid("records")
        .transform("batching", BYTES, new Batching(recordsOfABatch, BATCH_BYTES, BATCH_MILLIS))
        .uid("batching");
  }

  /** Ranges of judged records, each after the checkpoint that holds it. */
  public static DataStream<byte[]> ranges(
      DataStream<byte[]> judged, long claimMillis, int recordsOfARange, int bytesOfARange) {
    TypeInformation<JudgedRecord> record = TypeInformation.of(JudgedRecord.class);
    Partitioner<Place> bySubtask = Place::subtask;
    return judged
        .flatMap(new Unpacking())
        .returns(record)
        .name("unpacking")
        .uid("unpacking")
        .keyBy((KeySelector<JudgedRecord, String>) Dedup::key)
        .process(new Dedup(claimMillis))
        .returns(record)
        .name("dedup")
        .uid("dedup")
        .partitionCustom(bySubtask, (KeySelector<JudgedRecord, Place>) JudgedRecord::place)
        .transform("gate", BYTES, new Gate(recordsOfARange, bytesOfARange))
        .uid("gate");
  }

  /** Publishes what was written of rejects and touched facts, each once. */
  public static void publish(DataStream<byte[]> outgoing, String prefix, Map<String, String> client) {
    KafkaSink<byte[]> sink =
        KafkaSink.<byte[]>builder()
            .setBootstrapServers(client.get("bootstrap.servers"))
            .setKafkaProducerConfig(properties(client))
            .setRecordSerializer(new OutgoingRecord())
            .setDeliveryGuarantee(DeliveryGuarantee.EXACTLY_ONCE)
            .setTransactionalIdPrefix(prefix)
            .build();
    outgoing.map(new Stop()).returns(BYTES).name("stop").uid("stop").sinkTo(sink).name("published").uid("published");
  }

  private static Properties properties(Map<String, String> client) {
    Properties found = new Properties();
    found.putAll(client);
    return found;
  }
}
