package dev.tern.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.tern.env.NodeEvent;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class EventLogTest {
  private static final class SetClock extends Clock {
    private Instant now = Instant.ofEpochSecond(1_000);

    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return this;
    }

    @Override
    public Instant instant() {
      return now;
    }
  }

  private final SetClock clock = new SetClock();
  private final EventLog events = new EventLog(clock);
  private final ListAppender<ILoggingEvent> lines = new ListAppender<>();

  private List<String> logged(Runnable run) {
    Logger logger = (Logger) LoggerFactory.getLogger(EventLog.class);
    logger.setAdditive(false);
    lines.start();
    logger.addAppender(lines);
    try {
      run.run();
    } finally {
      logger.detachAppender(lines);
      logger.setAdditive(true);
    }
    return lines.list.stream().map(ILoggingEvent::getFormattedMessage).toList();
  }

  @Test
  void theLastEventsAreKeptAndAskedForByNumber() {
    logged(
        () -> {
          for (int i = 1; i <= EventLog.KEPT + 5; i++) {
            events.happened(new NodeEvent.LeaderChanged(i, 0));
          }
        });
    List<EventLog.Entry> all = events.after(0);
    assertEquals(EventLog.KEPT, all.size());
    assertEquals(6, all.getFirst().number());
    assertEquals(new NodeEvent.LeaderChanged(6, 0), all.getFirst().event());
    assertEquals(clock.instant(), all.getFirst().at());
    List<EventLog.Entry> last = events.after(EventLog.KEPT + 3);
    assertEquals(2, last.size());
    assertEquals(List.of(), events.after(EventLog.KEPT + 5));
  }

  @Test
  void aFloodOfOneKindIsCountedInTheLogAndHidesNoOther() {
    List<String> first =
        logged(
            () -> {
              for (int i = 0; i < 500; i++) {
                events.happened(new NodeEvent.StrangerRefused(9, "it is from elsewhere"));
              }
              events.happened(new NodeEvent.MemberSuspected(2));
            });
    assertEquals(EventLog.MOST_LINES + 1, first.size());
    assertTrue(first.getLast().contains("event=MemberSuspected node 2 is believed to be down"));
    assertEquals(Level.WARN, lines.list.getFirst().getLevel());
    clock.now = clock.now.plusSeconds(1);
    List<String> next =
        logged(() -> events.happened(new NodeEvent.StrangerRefused(9, "it is from elsewhere")));
    assertTrue(next.getLast().endsWith("(and 490 more, not logged)"), next.getLast());
  }
}
