package dev.tern.gateway.net;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class ClientLimitTest {
  @Test
  void someFilesAreKeptForTheStores() {
    assertEquals(44, ClientLimit.ofFiles(300));
    assertEquals(768, ClientLimit.ofFiles(1024));
    assertEquals(15_904, ClientLimit.ofFiles(20_000));
    assertEquals(ClientLimit.MOST, ClientLimit.ofFiles(1 << 20));
    assertEquals(ClientLimit.MOST, ClientLimit.ofFiles(Long.MAX_VALUE));
  }
}
