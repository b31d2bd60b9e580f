package dev.tern.gateway.resp;

import dev.tern.core.keyspace.ReadOutcome.Found;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.Update.Condition;
import dev.tern.core.keyspace.Update.ExpiryCondition;
import dev.tern.core.keyspace.UpdateOutcome.Done;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// A command on one key, in the terms of a keyspace.
///
/// @param key whose key
/// @param update what to change, null for a read
/// @param valueOnly whether the reply to a read follows from the value alone, not from its expiry
/// @param onRead the reply to a read; null: the key has no value
/// @param onDone the reply to an update
record KeyTask(
    byte[] key,
    @Nullable Update update,
    boolean valueOnly,
    Function<@Nullable Found, Reply> onRead,
    Function<Done, Reply> onDone) {

  private static final Pattern INFINITY =
      Pattern.compile("[+-]?inf(inity)?", Pattern.CASE_INSENSITIVE);

  private static final Function<Done, Reply> OK = done -> Reply.OK;
  private static final Function<Done, Reply> EXISTED = done -> Reply.number(done.existed() ? 1 : 0);
  private static final Function<Done, Reply> APPLIED = done -> Reply.number(done.applied() ? 1 : 0);
  private static final Function<Done, Reply> VALUE = done -> new Reply.Bulk(done.value());
  private static final Function<Done, Reply> INTEGER =
      done -> Reply.number(Arguments.integer(value(done)));
  private static final Function<Done, Reply> LENGTH = done -> Reply.number(value(done).length);
  private static final Function<@Nullable Found, Reply> BULK =
      found -> found == null ? Reply.NIL : new Reply.Bulk(found.value());

  private static byte[] value(Done done) {
    return java.util.Objects.requireNonNull(done.value());
  }

  private static KeyTask read(byte[] key, Function<@Nullable Found, Reply> onRead) {
    return new KeyTask(key, null, false, onRead, OK);
  }

  private static KeyTask readValue(byte[] key, Function<@Nullable Found, Reply> onRead) {
    return new KeyTask(key, null, true, onRead, OK);
  }

  private static KeyTask update(byte[] key, Update update, Function<Done, Reply> onDone) {
    return new KeyTask(key, update, false, BULK, onDone);
  }

  /// What a command asks for.
  ///
  /// @throws CommandException if its arguments are not as they should be
  static KeyTask of(CommandTable.Command command, List<byte[]> arguments, long wallMillis) {
    byte[] key = arguments.get(1);
    return switch (command.name()) {
      case "GET" -> readValue(key, BULK);
      case "SET" -> set(arguments, wallMillis);
      case "SETEX", "PSETEX" -> {
        String unit = command.name().equals("SETEX") ? "EX" : "PX";
        long expiry = Arguments.expiry(unit, arguments.get(2), wallMillis, command.name());
        yield update(key, put(arguments.get(3), expiry), OK);
      }
      case "SETNX" ->
          update(
              key,
              new Update.Put(arguments.get(2), Update.NO_EXPIRY, Condition.ABSENT, false),
              APPLIED);
      case "GETSET" ->
          update(
              key, new Update.Put(arguments.get(2), Update.NO_EXPIRY, Condition.NONE, true), VALUE);
      case "GETDEL" -> update(key, new Update.Delete(true), VALUE);
      case "GETEX" -> getex(arguments, wallMillis);
      case "APPEND" -> update(key, new Update.Append(arguments.get(2)), LENGTH);
      case "STRLEN" ->
          readValue(key, found -> Reply.number(found == null ? 0 : found.value().length));
      case "INCR" -> update(key, new Update.Add(1), INTEGER);
      case "DECR" -> update(key, new Update.Add(-1), INTEGER);
      case "INCRBY" -> update(key, new Update.Add(Arguments.integer(arguments.get(2))), INTEGER);
      case "DECRBY" -> update(key, new Update.Add(negated(arguments.get(2))), INTEGER);
      case "INCRBYFLOAT" -> incrByFloat(arguments);
      case "TYPE" -> readValue(key, found -> new Reply.Simple(found == null ? "none" : "string"));
      case "EXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT" -> expire(command, arguments, wallMillis);
      case "TTL" -> read(key, found -> timeToLive(found, wallMillis, 1000));
      case "PTTL" -> read(key, found -> timeToLive(found, wallMillis, 1));
      case "PERSIST" ->
          update(key, new Update.Expire(Update.NO_EXPIRY, ExpiryCondition.NONE), APPLIED);
      default -> throw new IllegalStateException("no such command on a key: " + command.name());
    };
  }

  private static Update.Put put(byte[] value, long expiry) {
    return new Update.Put(value, expiry, Condition.NONE, false);
  }

  private static long negated(byte[] argument) {
    long value = Arguments.integer(argument);
    if (value == Long.MIN_VALUE) {
      throw new CommandException("ERR decrement would overflow");
    }
    return -value;
  }

  private static KeyTask incrByFloat(List<byte[]> arguments) {
    String delta = new String(arguments.get(2), StandardCharsets.ISO_8859_1);
    if (INFINITY.matcher(delta).matches()) {
      throw new CommandException("ERR increment would produce NaN or Infinity");
    }
    try {
      boolean tooLong = delta.length() > 256;
      if (tooLong || !Double.isFinite(new java.math.BigDecimal(delta).doubleValue())) {
        throw new CommandException("ERR value is not a valid float");
      }
    } catch (NumberFormatException e) {
      throw new CommandException("ERR value is not a valid float");
    }
    return update(arguments.get(1), new Update.AddDecimal(delta), VALUE);
  }

  /// What follows the value or the key of `SET` and `GETEX`. As Redis takes them: an option may
  /// come twice, the last of one kind counts, two of different kinds that exclude each other are a
  /// syntax error, and values are looked at when all is read.
  private static final class Options {
    private static final List<String> UNITS = List.of("EX", "PX", "EXAT", "PXAT");

    Condition condition = Condition.NONE;
    boolean get;

    /// KEEPTTL, PERSIST or a unit; empty if none was given.
    String expiry = "";

    byte[] time = {};

    Options(List<byte[]> arguments, int from, boolean ofSet) {
      for (int i = from; i < arguments.size(); i++) {
        String option = Arguments.word(arguments, i);
        if (UNITS.contains(option) && i + 1 < arguments.size()) {
          expiry(option);
          time = arguments.get(++i);
        } else if (option.equals(ofSet ? "KEEPTTL" : "PERSIST")) {
          expiry(option);
        } else if (ofSet && option.equals("GET")) {
          get = true;
        } else if (ofSet && (option.equals("NX") || option.equals("XX"))) {
          Condition wanted = option.equals("NX") ? Condition.ABSENT : Condition.PRESENT;
          if (condition != Condition.NONE && condition != wanted) {
            throw CommandException.syntax();
          }
          condition = wanted;
        } else {
          throw CommandException.syntax();
        }
      }
    }

    private void expiry(String option) {
      if (!expiry.isEmpty() && !expiry.equals(option)) {
        throw CommandException.syntax();
      }
      expiry = option;
    }
  }

  private static KeyTask set(List<byte[]> arguments, long wallMillis) {
    Options options = new Options(arguments, 3, /* ofSet= */ true);
    long expiry =
        switch (options.expiry) {
          case "" -> Update.NO_EXPIRY;
          case "KEEPTTL" -> Update.KEEP_EXPIRY;
          default -> Arguments.expiry(options.expiry, options.time, wallMillis, "set");
        };
    Update.Put put = new Update.Put(arguments.get(2), expiry, options.condition, options.get);
    Function<Done, Reply> reply =
        options.get ? VALUE : done -> done.applied() ? Reply.OK : Reply.NIL;
    return update(arguments.get(1), put, reply);
  }

  private static KeyTask getex(List<byte[]> arguments, long wallMillis) {
    byte[] key = arguments.get(1);
    Options options = new Options(arguments, 2, /* ofSet= */ false);
    if (options.expiry.isEmpty()) {
      return read(key, BULK);
    }
    if (options.expiry.equals("PERSIST")) {
      return update(key, new Update.Expire(Update.NO_EXPIRY, ExpiryCondition.NONE), VALUE);
    }
    try {
      long expiry = Arguments.expiry(options.expiry, options.time, wallMillis, "getex");
      return update(key, new Update.Expire(expiry, ExpiryCondition.NONE), VALUE);
    } catch (CommandException e) {
      // Redis looks for the key first.
      Reply refusal = new Reply.Error(String.valueOf(e.getMessage()));
      return read(key, found -> found == null ? Reply.NIL : refusal);
    }
  }

  private static KeyTask expire(
      CommandTable.Command command, List<byte[]> arguments, long wallMillis) {
    ExpiryCondition condition = expiryCondition(arguments);
    String name = command.name();
    long time = Arguments.integer(arguments.get(2));
    long base = name.endsWith("AT") ? 0 : wallMillis;
    long millis = Arguments.expiry(time, !name.startsWith("P"), base, name);
    Update expire = new Update.Expire(Math.max(1, millis), condition);
    return update(arguments.get(1), expire, condition == ExpiryCondition.NONE ? EXISTED : APPLIED);
  }

  /// `NX`, `XX`, `GT` and `LT` of the EXPIRE commands.
  private static ExpiryCondition expiryCondition(List<byte[]> arguments) {
    List<String> given = new ArrayList<>();
    for (int i = 3; i < arguments.size(); i++) {
      String option = Arguments.word(arguments, i);
      if (!List.of("NX", "XX", "GT", "LT").contains(option)) {
        throw new CommandException("ERR Unsupported option " + Arguments.text(arguments, i));
      }
      given.add(option);
    }
    boolean present = given.contains("XX");
    boolean later = given.contains("GT");
    boolean earlier = given.contains("LT");
    if (given.contains("NX") && (present || later || earlier)) {
      throw new CommandException(
          "ERR NX and XX, GT or LT options at the same time are not compatible");
    }
    if (later && earlier) {
      throw new CommandException("ERR GT and LT options at the same time are not compatible");
    }
    if (given.contains("NX")) {
      return ExpiryCondition.ABSENT;
    } else if (later) {
      return ExpiryCondition.EARLIER_THAN_NEW;
    } else if (earlier) {
      return present ? ExpiryCondition.PRESENT_AND_LATER_THAN_NEW : ExpiryCondition.LATER_THAN_NEW;
    }
    return present ? ExpiryCondition.PRESENT : ExpiryCondition.NONE;
  }

  private static Reply timeToLive(@Nullable Found found, long wallMillis, long unit) {
    if (found == null) {
      return new Reply.Number(-2);
    }
    if (found.expiryMillis() == Update.NO_EXPIRY) {
      return new Reply.Number(-1);
    }
    long left = Math.max(0, found.expiryMillis() - wallMillis);
    return new Reply.Number(unit == 1 ? left : (left + 500) / 1000);
  }
}
