package dev.tern.gateway.resp;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.gateway.resp.CommandTable.Command;
import dev.tern.gateway.resp.CommandTable.Kind;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class CommandTableTest {
  /// What `COMMAND INFO` of redis-server 7.0.15 says of the commands that touch keys: name, arity,
  /// first key, last key, step, flags.
  private static final String REDIS =
      """
      get|2|1|1|1|fast,readonly
      set|-3|1|1|1|denyoom,write
      setex|4|1|1|1|denyoom,write
      psetex|4|1|1|1|denyoom,write
      setnx|3|1|1|1|denyoom,fast,write
      getset|3|1|1|1|denyoom,fast,write
      getdel|2|1|1|1|fast,write
      getex|-2|1|1|1|fast,write
      append|3|1|1|1|denyoom,fast,write
      strlen|2|1|1|1|fast,readonly
      incr|2|1|1|1|denyoom,fast,write
      incrby|3|1|1|1|denyoom,fast,write
      decr|2|1|1|1|denyoom,fast,write
      decrby|3|1|1|1|denyoom,fast,write
      incrbyfloat|3|1|1|1|denyoom,fast,write
      type|2|1|1|1|fast,readonly
      expire|-3|1|1|1|fast,write
      pexpire|-3|1|1|1|fast,write
      expireat|-3|1|1|1|fast,write
      pexpireat|-3|1|1|1|fast,write
      ttl|2|1|1|1|fast,readonly
      pttl|2|1|1|1|fast,readonly
      persist|2|1|1|1|fast,write
      mget|-2|1|-1|1|fast,readonly
      mset|-3|1|-1|2|denyoom,write
      exists|-2|1|-1|1|fast,readonly
      del|-2|1|-1|1|write
      unlink|-2|1|-1|1|fast,write
      scan|-2|0|0|0|readonly
      keys|2|0|0|0|readonly
      dbsize|1|0|0|0|fast,readonly
      """;

  /// Arities of the commands that touch no key, by the same server.
  private static final String LOCAL =
      """
      ping|-1
      echo|2
      hello|-1
      auth|-2
      client|-2
      command|-1
      config|-2
      info|-1
      select|2
      cluster|-2
      readonly|1
      readwrite|1
      asking|1
      quit|-1
      reset|1
      time|1
      """;

  private static final Set<String> OWN = Set.of("OBJECT", "TERN.LEVEL", "TERN.MODE", "TERN.WITH");

  private static Command find(String name) {
    Command command = CommandTable.find(name.getBytes(US_ASCII));
    assertNotNull(command, name);
    return command;
  }

  @Test
  void commandsOnKeysAreDescribedAsRedisDescribesThem() {
    REDIS
        .lines()
        .forEach(
            line -> {
              String name = line.substring(0, line.indexOf('|'));
              Command command = find(name);
              String own =
                  "%s|%d|%d|%d|%d|%s"
                      .formatted(
                          name,
                          command.arity(),
                          command.first(),
                          command.last(),
                          command.step(),
                          String.join(",", new TreeSet<>(command.flags())));
              assertEquals(line, own);
              assertTrue(command.kind() != Kind.LOCAL, name);
            });
  }

  @Test
  void otherCommandsTakeAsManyArgumentsAsInRedis() {
    LOCAL
        .lines()
        .forEach(
            line -> {
              String[] parts = line.split("\\|");
              assertEquals(Integer.parseInt(parts[1]), find(parts[0]).arity(), parts[0]);
              assertEquals(Kind.LOCAL, find(parts[0]).kind(), parts[0]);
            });
  }

  @Test
  void noCommandIsLeftOutOfTheseTables() {
    Set<String> seen = new HashSet<>(OWN);
    for (String table : List.of(REDIS, LOCAL)) {
      table
          .lines()
          .forEach(line -> seen.add(line.substring(0, line.indexOf('|')).toUpperCase(Locale.ROOT)));
    }
    Set<String> all = new HashSet<>();
    CommandTable.all().forEach(command -> all.add(command.name()));
    assertEquals(new TreeSet<>(seen), new TreeSet<>(all));
    assertNull(CommandTable.find("nosuch".getBytes(US_ASCII)));
  }

  @Test
  void indexesAreTheirPlaces() {
    int place = 0;
    for (Command command : CommandTable.all()) {
      assertEquals(place++, command.index());
    }
    assertEquals(place, CommandTable.count());
  }

  /// Arguments enough for any command on one key.
  private static final List<byte[]> ARGUMENTS =
      List.of(
          "name".getBytes(US_ASCII),
          "key".getBytes(US_ASCII),
          "1".getBytes(US_ASCII),
          "2".getBytes(US_ASCII));

  @Test
  void eachCommandOnOneKeyHasATask() {
    for (Command command : CommandTable.all()) {
      boolean one =
          command.kind() == Kind.READ
              || command.kind() == Kind.PUT
              || command.kind() == Kind.UPDATE;
      if (one) {
        List<byte[]> arguments = ARGUMENTS.subList(0, Math.abs(command.arity()));
        KeyTask task = KeyTask.of(command, arguments, 0);
        assertEquals("key", new String(task.key(), US_ASCII), command.name());
        boolean reads = command.kind() == Kind.READ || command.name().equals("GETEX");
        assertEquals(reads, task.update() == null, command.name());
        boolean blind = task.update() != null && task.update().blind();
        assertEquals(command.kind() == Kind.PUT, blind, command.name());
      }
    }
  }
}
