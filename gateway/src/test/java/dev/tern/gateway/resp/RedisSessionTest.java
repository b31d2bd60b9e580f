package dev.tern.gateway.resp;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.keyspace.Keyspace;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.topology.ClusterView;
import dev.tern.core.topology.Founding;
import dev.tern.core.topology.KeyspaceSettings;
import dev.tern.core.topology.Member;
import dev.tern.core.topology.MemberEntry;
import dev.tern.env.Clock;
import dev.tern.gateway.session.Backlog;
import dev.tern.gateway.session.ClusterStatus;
import dev.tern.gateway.session.Outlet;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// A session byte for byte, before a keyspace in memory.
class RedisSessionTest {
  private static final long NOW_MILLIS = 1_000_000;

  private static final class Fixed implements Clock {
    @Override
    public long monotonicNanos() {
      return 0;
    }

    @Override
    public long wallMillis() {
      return NOW_MILLIS;
    }
  }

  private static final class OneNode implements ClusterStatus {
    private final Member self =
        new Member(
            1,
            "%040x".formatted(1),
            "zone-1",
            "127.0.0.1",
            Member.Ports.NONE.with(Member.Ports.INTERNODE, 7071).with(Member.Ports.REDIS, 6379));
    private final ClusterView view =
        ClusterView.of(
            new Founding(
                    64, List.of(MemberEntry.of(self)), List.of(KeyspaceSettings.usual("redis")))
                .state());

    @Override
    public ClusterView view() {
      return view;
    }

    @Override
    public boolean live(int member) {
      return true;
    }

    @Override
    public Member self() {
      return self;
    }
  }

  /// One conversation. Effects are noted.
  private static final class Client implements Outlet {
    final ScriptedKeyspace keyspace = new ScriptedKeyspace();
    final List<String> effects = new ArrayList<>();
    final DoorStatistics statistics = new DoorStatistics();
    final RedisSession session =
        new RedisSession(
            new OneNode(),
            keyspace,
            new Fixed(),
            statistics,
            new ServerCommands(0, List.of(statistics)),
            7,
            "10.0.0.1:5000",
            this);
    final ByteBuf unread = Unpooled.buffer();

    /// Feeds bytes, and what was left; tells whether the session would take more.
    boolean come(String bytes) {
      unread.writeCharSequence(bytes, ISO_8859_1);
      boolean more = session.feed(unread);
      unread.discardReadBytes();
      return more;
    }

    /// The bytes that may leave.
    String replies() {
      ByteBuf out = Unpooled.buffer();
      if (session.hasReplies()) {
        session.takeReplies(out);
      }
      return out.toString(ISO_8859_1);
    }

    String answers(String bytes) {
      come(bytes);
      return replies();
    }

    @Override
    public void repliesReady() {
      effects.add("replies");
    }

    @Override
    public void readyForMore() {
      effects.add("more");
    }

    @Override
    public void malformed(String detail) {
      effects.add("malformed");
    }

    @Override
    public void close() {
      effects.add("close");
    }
  }

  /// An array of bulk strings.
  private static String command(String... words) {
    StringBuilder text = new StringBuilder("*" + words.length + "\r\n");
    for (String word : words) {
      text.append('$').append(word.length()).append("\r\n").append(word).append("\r\n");
    }
    return text.toString();
  }

  private static String line(String words) {
    return command(words.split(" "));
  }

  private static void answers(String expected, String... lines) {
    Client client = new Client();
    StringBuilder bytes = new StringBuilder();
    for (String each : lines) {
      bytes.append(line(each));
    }
    assertEquals(expected, client.answers(bytes.toString()), String.join("; ", lines));
    assertTrue(client.session.incompleteBytes() < 100);
  }

  @Test
  void eachCommandOnAKeyAnswersAsRedisDoes() {
    answers("+OK\r\n$1\r\nv\r\n", "SET k v", "GET k");
    answers("$-1\r\n", "GET k");
    answers("$-1\r\n$-1\r\n", "SET k v XX EX 5", "GET k");
    answers("$-1\r\n$1\r\na\r\n$1\r\na\r\n", "SET k a GET", "SET k b NX GET", "GET k");
    answers(":1\r\n:0\r\n", "SETNX k v", "SETNX k w");
    answers(":1\r\n:11\r\n:10\r\n:7\r\n", "INCR k", "INCRBY k 10", "DECR k", "DECRBY k 3");
    answers(":2\r\n:4\r\n:4\r\n", "APPEND k ab", "APPEND k cd", "STRLEN k");
    answers("+OK\r\n:1\r\n:100\r\n:100000\r\n", "SET k v", "EXPIRE k 100", "TTL k", "PTTL k");
    answers("+OK\r\n:-1\r\n:-2\r\n", "SET k v", "TTL k", "TTL other");
    answers("+OK\r\n$1\r\nv\r\n$-1\r\n", "SET k v", "GETDEL k", "GET k");
    answers("+OK\r\n$1\r\nv\r\n$1\r\nw\r\n", "SET k v", "GETSET k w", "GET k");
    answers("+none\r\n+OK\r\n+string\r\n", "TYPE k", "SET k v", "TYPE k");
    answers("$3\r\n1.5\r\n", "INCRBYFLOAT k 1.5");
  }

  @Test
  void commandsOnManyKeysAnswerInTheOrderOfTheKeys() {
    answers(
        "+OK\r\n*3\r\n$1\r\n1\r\n$-1\r\n$1\r\n2\r\n:2\r\n:2\r\n:0\r\n",
        "MSET a 1 b 2",
        "MGET a x b",
        "EXISTS a b x",
        "DEL a b x",
        "UNLINK a");
    answers("+OK\r\n*2\r\n$1\r\n0\r\n*1\r\n$1\r\na\r\n:1\r\n", "SET a 1", "SCAN 0", "DBSIZE");
  }

  @Test
  void refusalsNameWhatIsWrong() {
    answers("-ERR unknown command 'FOO', with args beginning with: 'a' 'b' \r\n", "FOO a b");
    answers("-ERR wrong number of arguments for 'get' command\r\n", "GET");
    answers("-ERR wrong number of arguments for 'get' command\r\n", "GET a b");
    answers("-ERR syntax error\r\n", "SET k v EX");
    answers("-ERR syntax error\r\n", "SET k v NX XX");
    answers("-ERR value is not an integer or out of range\r\n", "SET k v EX ten");
    answers("-ERR invalid expire time in 'set' command\r\n", "SET k v EX 0");
    answers("+OK\r\n-ERR value is not an integer or out of range\r\n", "SET k v", "INCR k");
    answers("-ERR DB index is out of range\r\n", "SELECT 1");
    answers("-ERR wrong number of arguments for 'mset' command\r\n", "MSET a 1 b");
  }

  @Test
  void eachOutcomeThatIsNoneHasItsError() {
    Client client = new Client();
    client.keyspace.failure = new Unanswered.Unknown("lost");
    assertEquals(
        "-TIMEOUT it is unknown whether the command was applied: lost\r\n",
        client.answers(line("SET k v")));
    String[] words = {
      "UNAVAILABLE CLUSTERDOWN why",
      "TRY_AGAIN TRYAGAIN why",
      "INVALID ERR why",
      "DISK_FULL MISCONF why",
      "LOADING LOADING why",
      "OVERLOADED TRYAGAIN overloaded, retry after 3 ms: why"
    };
    for (String each : words) {
      int space = each.indexOf(' ');
      Unanswered.Reason reason = Unanswered.Reason.valueOf(each.substring(0, space));
      client.keyspace.failure = new Unanswered.Refused(reason, "why", 3);
      assertEquals("-" + each.substring(space + 1) + "\r\n", client.answers(line("GET k")));
    }
  }

  @Test
  void inlineCommandsAreWordsOfALine() {
    Client client = new Client();
    assertEquals("+OK\r\n$4\r\na\tb \r\n", client.answers("SET k \"a\\tb \"\r\nget k\r\n"));
    assertEquals("+PONG\r\n", client.answers("\r\n  PING\n"));
    assertEquals("", client.answers("PI"));
    assertEquals("+PONG\r\n", client.answers("NG\r\n"));
    assertEquals(
        "-ERR Protocol error: unbalanced quotes in request\r\n", client.answers("SET k \"a\r\n"));
    assertTrue(client.session.isClosing());
  }

  @Test
  void resp3HasItsOwnKinds() {
    Client client = new Client();
    assertEquals("$-1\r\n", client.answers(line("GET k")));
    String hello = client.answers(line("HELLO 3"));
    assertTrue(hello.startsWith("%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n"), hello);
    assertTrue(hello.contains("$5\r\nproto\r\n:3\r\n$2\r\nid\r\n:7\r\n"), hello);
    assertEquals("_\r\n", client.answers(line("GET k")));
    assertTrue(client.answers(line("CLIENT INFO")).startsWith("="));
    assertEquals("-NOPROTO unsupported protocol version\r\n", client.answers(line("HELLO 4")));
    assertEquals("+RESET\r\n$-1\r\n", client.answers(line("RESET") + line("GET k")));
  }

  /// A stream of requests with its replies does not depend on where it is cut.
  @Test
  void aPipelineIsAnsweredTheSameWhereverItIsCut() {
    String pipeline =
        line("SET k value")
            + "GET k\r\n"
            + line("MSET a 1 b 2")
            + line("INCRBY a 41")
            + line("MGET a b none")
            + line("NOSUCH x")
            + command("SET", "empty", "")
            + line("GET empty")
            + line("DBSIZE")
            + line("PING hello");
    String expected =
        """
        +OK
        $5
        value
        +OK
        :42
        *3
        $2
        42
        $1
        2
        $-1
        -ERR unknown command 'NOSUCH', with args beginning with: 'x'\s
        +OK
        $0

        :4
        $5
        hello
        """
            .replace("\n", "\r\n");
    for (int cut = 0; cut <= pipeline.length(); cut++) {
      Client client = new Client();
      StringBuilder replies = new StringBuilder(client.answers(pipeline.substring(0, cut)));
      replies.append(client.answers(pipeline.substring(cut)));
      replies.append(client.answers("")).append(client.answers(""));
      assertEquals(expected, replies.toString(), "cut at " + cut);
    }
    Client client = new Client();
    StringBuilder replies = new StringBuilder();
    for (int at = 0; at < pipeline.length(); at++) {
      replies.append(client.answers(pipeline.substring(at, at + 1)));
    }
    replies.append(client.answers(""));
    assertEquals(expected, replies.toString(), "byte by byte");
  }

  @Test
  void bytesThatAreNoRequestEndTheConnectionAfterTheRepliesBefore() {
    String[] hostile = {
      "*1\r\n$-7\r\n",
      "*99999999999\r\n",
      "*2\r\n$3\r\nGET\r\n:5\r\n",
      "*1\r\n$999999999999\r\n",
      "*x\r\n",
      "*1\r\n$3\r\nGETxx"
    };
    for (String each : hostile) {
      Client client = new Client();
      client.keyspace.waits = true;
      assertFalse(client.come(line("GET k") + each + line("GET never")), each);
      assertTrue(client.session.isClosing(), each);
      assertEquals("", client.replies());
      assertFalse(client.effects.contains("close"), each);
      client.keyspace.answerNext();
      String replies = client.replies();
      assertTrue(replies.startsWith("$-1\r\n-ERR Protocol error: "), replies);
      assertTrue(client.effects.contains("malformed"), each);
      assertTrue(client.effects.contains("close"), each);
      assertEquals(1, client.statistics.protocolErrors());
      assertEquals(List.of("read k"), client.keyspace.asked);
    }
  }

  @Test
  void aPageOfABrowserIsNotAnswered() {
    Client client = new Client();
    assertEquals("", client.answers("POST / HTTP/1.1\r\nHost: x\r\nSET k v\r\n"));
    assertEquals(List.of("close"), client.effects);
    assertEquals(List.of(), client.keyspace.asked);
  }

  @Test
  void aValueThatIsTooLargeIsReadPastAndRefused() {
    Client client = new Client();
    int length = Keyspace.MAX_VALUE_BYTES + 1;
    client.come("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$" + length + "\r\n");
    String piece = "x".repeat(1 << 20);
    for (int left = length; left > 0; left -= piece.length()) {
      client.come(piece.substring(0, Math.min(left, piece.length())));
      assertTrue(client.session.incompleteBytes() < 1_000, "what is refused is kept");
    }
    assertEquals(
        "-ERR a value of %d bytes is too large, at most %d fit\r\n+PONG\r\n"
            .formatted(length, Keyspace.MAX_VALUE_BYTES),
        client.answers("\r\n" + line("PING")));
    assertEquals(List.of(), client.keyspace.asked);
  }

  @Test
  void memoryIsTakenAsBytesCome() {
    Client client = new Client();
    client.come("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$16000000\r\nxyz");
    assertTrue(client.session.incompleteBytes() < 1_000, "memory for what has not come");
    assertEquals(16_000_000 - 3, client.session.missingBytes());
    client.come("*".repeat(1 << 20));
    assertTrue(client.session.incompleteBytes() > 1 << 20);
    assertTrue(client.session.incompleteBytes() < 3 << 20);
  }

  @Test
  void repliesLeaveInTheOrderOfTheirRequests() {
    Client client = new Client();
    client.keyspace.waits = true;
    client.come(line("GET a") + line("SET b 1") + line("PING") + line("GET c"));
    assertEquals(List.of("read a", "Put b", "read c"), client.keyspace.asked);
    client.keyspace.answerLast();
    client.keyspace.answerLast();
    assertEquals("", client.replies());
    assertEquals(List.of(), client.effects);
    client.keyspace.answerNext();
    assertEquals(List.of("replies"), client.effects);
    assertEquals("$-1\r\n+OK\r\n+PONG\r\n$-1\r\n", client.replies());
  }

  @Test
  void requestsOfOneKeyTakeEffectInTheirOrder() {
    Client client = new Client();
    client.keyspace.waits = true;
    client.come(line("INCR k") + line("GET k") + line("APPEND k 0") + line("GET k"));
    assertEquals(List.of("Add k"), client.keyspace.asked);
    while (client.keyspace.waiting() > 0) {
      client.keyspace.answerNext();
    }
    assertEquals(List.of("Add k", "read k", "Append k", "read k"), client.keyspace.asked);
    assertEquals(":1\r\n$1\r\n1\r\n:2\r\n$2\r\n10\r\n", client.replies());
  }

  @Test
  void aLookAtAllKeysWaitsForAllBeforeItAndHoldsAllBehindIt() {
    Client client = new Client();
    client.keyspace.waits = true;
    assertFalse(client.come(line("SET a 1") + line("DBSIZE") + line("SET b 2")));
    assertEquals(List.of("Put a"), client.keyspace.asked);
    client.keyspace.answerNext();
    assertEquals(List.of("Put a", "count"), client.keyspace.asked);
    client.keyspace.answerNext();
    assertTrue(client.effects.contains("more"));
    assertTrue(client.come(""));
    client.keyspace.answerNext();
    assertEquals("+OK\r\n:1\r\n+OK\r\n", client.replies());
  }

  @Test
  void requestsUnderWayAreBounded() {
    Client client = new Client();
    client.keyspace.waits = true;
    StringBuilder pipeline = new StringBuilder();
    for (int i = 0; i < Backlog.MAX_REQUESTS + 10; i++) {
      pipeline.append(line("GET k" + i));
    }
    assertFalse(client.come(pipeline.toString()));
    assertEquals(Backlog.MAX_REQUESTS, client.keyspace.asked.size());
    client.keyspace.answerNext();
    assertFalse(client.come(""), "a reply that has not left makes no room");
    assertEquals("$-1\r\n", client.replies());
    assertFalse(client.come(""));
    assertEquals(Backlog.MAX_REQUESTS + 1, client.keyspace.asked.size());
  }

  @Test
  void repliesThatWaitForOneBeforeThemAreBounded() {
    Client client = new Client();
    client.answers(command("SET", "large", "x".repeat(1 << 20)));
    client.keyspace.waits = true;
    int asked = 0;
    client.come(line("GET slow"));
    boolean more = true;
    while (more) {
      assertTrue(++asked <= 9, "replies pile up behind one that is slow");
      more = client.come(line("GET large"));
      client.keyspace.answerLast();
      more &= client.come("");
    }
    assertTrue(asked >= 8, "less than the bound was held: " + asked);
    client.keyspace.answerNext();
    assertTrue(client.replies().length() > 8 << 20);
    assertTrue(client.come(""));
  }

  @Test
  void quitClosesAfterItsReplyAndTakesNoMore() {
    Client client = new Client();
    assertEquals("+PONG\r\n+OK\r\n", client.answers(line("PING") + line("QUIT") + line("SET k v")));
    assertEquals(List.of("replies", "close"), client.effects);
    assertEquals(List.of(), client.keyspace.asked);
  }

  @Test
  void aSessionThatHasEndedIsNotCounted() {
    Client client = new Client();
    client.statistics.opened();
    client.session.ended();
    assertEquals(0, client.statistics.connections());
  }

  /// Random pipelines before a slow keyspace, whose requests end in any order, say the same as
  /// before one that answers at once.
  @Test
  void slowOutcomesInAnyOrderChangeNoReply() {
    String[] lines = {
      "SET k1 a",
      "SET k2 b",
      "GET k1",
      "GET k2",
      "INCR n",
      "INCR n",
      "APPEND k1 c",
      "GETDEL k2",
      "MSET k1 x k2 y",
      "MGET k1 k2 n",
      "DEL k1",
      "EXISTS k1 k2",
      "DBSIZE",
      "PING",
      "SETNX k1 z"
    };
    for (int seed = 0; seed < 300; seed++) {
      Random random = new Random(seed);
      StringBuilder pipeline = new StringBuilder();
      for (int i = 0; i < 40; i++) {
        pipeline.append(line(lines[random.nextInt(lines.length)]));
      }
      StringBuilder expected = new StringBuilder();
      Client atOnce = new Client();
      for (String each = atOnce.answers(pipeline.toString());
          !each.isEmpty();
          each = atOnce.answers("")) {
        expected.append(each);
      }
      Client slow = new Client();
      slow.keyspace.waits = true;
      slow.come(pipeline.toString());
      StringBuilder replies = new StringBuilder(slow.replies());
      while (slow.keyspace.waiting() > 0) {
        if (random.nextBoolean()) {
          slow.keyspace.answerNext();
        } else {
          slow.keyspace.answerLast();
        }
        replies.append(slow.replies());
        slow.come("");
        replies.append(slow.replies());
      }
      assertEquals(expected.toString(), replies.toString(), "seed " + seed);
    }
  }
}
