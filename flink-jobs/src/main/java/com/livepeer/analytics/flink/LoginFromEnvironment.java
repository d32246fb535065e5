package com.livepeer.analytics.flink;

import java.util.List;
import java.util.Map;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.NameCallback;
import javax.security.auth.callback.PasswordCallback;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;

/**
 * Tells Kafka's clients the login of the process that they run in. So neither the job's graph nor a checkpoint, which
 * Flink keeps and sends about, has a secret.
 */
public class LoginFromEnvironment implements AuthenticateCallbackHandler {
  static final String USERNAME = "LPA_KAFKA_SASL_USERNAME";
  static final String PASSWORD = "LPA_KAFKA_SASL_PASSWORD";

  private final Map<String, String> environment;

  public LoginFromEnvironment() {
    this(System.getenv());
  }

  LoginFromEnvironment(Map<String, String> environment) {
    this.environment = environment;
  }

  @Override
  public void configure(Map<String, ?> configuration, String mechanism, List<AppConfigurationEntry> entries) {}

  /** Other callbacks, such as SCRAM's extensions, are for what a login may have beside its name and password. */
  @Override
  public void handle(Callback[] callbacks) {
    for (Callback callback : callbacks) {
      if (callback instanceof NameCallback name) {
        name.setName(value(USERNAME));
      } else if (callback instanceof PasswordCallback password) {
        password.setPassword(value(PASSWORD).toCharArray());
      }
    }
  }

  private String value(String variable) {
    String found = environment.get(variable);
    if (found == null) {
      throw new IllegalStateException(
          variable + " is not set in the environment of this job manager or task manager: set it there too");
    }
    return found;
  }

  @Override
  public void close() {}
}
