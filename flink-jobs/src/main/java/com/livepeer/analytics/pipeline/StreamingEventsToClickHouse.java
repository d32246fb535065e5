package com.livepeer.analytics.pipeline;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.flink.client.python.PythonDriver;

/** The entry class that operators know. The job is put together in Python, in the environment of the job manager. */
public final class StreamingEventsToClickHouse {
  private StreamingEventsToClickHouse() {}

  public static void main(String[] arguments) throws Throwable {
    List<String> all = new ArrayList<>(List.of("-pym", "lpa_flink.job"));
    all.addAll(Arrays.asList(arguments));
    PythonDriver.main(all.toArray(String[]::new));
  }
}
