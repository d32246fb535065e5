package com.livepeer.analytics.flink;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Map;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.NameCallback;
import javax.security.auth.callback.PasswordCallback;
import org.apache.kafka.common.security.scram.ScramExtensionsCallback;
import org.junit.jupiter.api.Test;

class LoginFromEnvironmentTest {
  @Test
  void nameAndPasswordAreThoseOfTheProcess() {
    NameCallback name = new NameCallback("name");
    PasswordCallback password = new PasswordCallback("password", false);
    handler(Map.of("LPA_KAFKA_SASL_USERNAME", "me", "LPA_KAFKA_SASL_PASSWORD", "a\"b\\"))
        .handle(new Callback[] {name, password, new ScramExtensionsCallback()});
    assertEquals("me", name.getName());
    assertEquals("a\"b\\", new String(password.getPassword()));
  }

  @Test
  void aMissingVariableIsNamed() {
    Callback[] password = {new PasswordCallback("password", false)};
    String said = assertThrows(IllegalStateException.class, () -> handler(Map.of()).handle(password)).getMessage();
    assertEquals("LPA_KAFKA_SASL_PASSWORD is not set", said.substring(0, said.indexOf(" in the")));
  }

  private static LoginFromEnvironment handler(Map<String, String> environment) {
    return new LoginFromEnvironment(environment);
  }
}
