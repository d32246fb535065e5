package com.livepeer.analytics.flink;

/**
 * A record that was judged: {@code claim} is what it claims, empty if it is no event; {@code owner} the position that
 * has the claim, empty if that is the record itself; {@code judgedAt} when it was judged, epoch ms, by rules of this
 * {@code fingerprint}. Without a body it is no record to pass on, but what a stored event claims.
 */
public class JudgedRecord {
  public String topic = "";
  public int partition;
  public long offset;
  public byte[] body = new byte[0];
  public String claim = "";
  public String owner = "";
  public long judgedAt;
  public String fingerprint = "";

  public JudgedRecord() {}

  Place place() {
    return new Place(topic, partition);
  }

  String position() {
    return topic + ":" + partition + ":" + offset;
  }
}
