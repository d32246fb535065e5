package com.livepeer.analytics.pipeline;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.flink.client.python.PythonDriver;

/** The entry class that operators know. The job is put together in Python, in the environment of the job manager. */
public final class StreamingEventsToClickHouse {
  private static volatile String refusal;

  private StreamingEventsToClickHouse() {}

  public static void main(String[] arguments) throws Throwable {
    List<String> all = new ArrayList<>(List.of("-pym", "lpa_flink.job"));
    all.addAll(Arrays.asList(arguments));
    try {
      PythonDriver.main(all.toArray(String[]::new));
    } catch (Throwable ended) {
      if (refusal != null) {
        throw new IllegalStateException(refusal);
      }
      throw ended;
    }
  }

  /** Python calls it before it ends without a job: Flink itself would say only that a Python has ended. */
  public static void refuse(String reason) {
    refusal = reason;
  }
}
