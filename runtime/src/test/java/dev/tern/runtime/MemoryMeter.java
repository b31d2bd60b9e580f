package dev.tern.runtime;

import java.lang.management.ManagementFactory;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.management.JMException;
import javax.management.ObjectName;

/// Measures what this process holds: the heap behind a full collection, and the memory outside that
/// Java code took, of direct buffers and of arenas. The JVM must be started with
/// `-XX:NativeMemoryTracking=summary`.
final class MemoryMeter {
  /// The JVM counts there what `Unsafe` allocates.
  private static final Pattern OTHER =
      Pattern.compile("Other \\(reserved=\\d+, committed=(\\d+)\\)");

  private long heap;
  private long outside;

  /// Bytes held now, by the heap and outside.
  long bytes() {
    outside = askOutside();
    System.gc();
    heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    return outside + heap;
  }

  @Override
  public String toString() {
    return "%,d on the heap, %,d outside".formatted(heap, outside);
  }

  private static long askOutside() {
    try {
      String report =
          (String)
              ManagementFactory.getPlatformMBeanServer()
                  .invoke(
                      new ObjectName("com.sun.management:type=DiagnosticCommand"),
                      "vmNativeMemory",
                      new Object[] {new String[] {"summary", "scale=B"}},
                      new String[] {String[].class.getName()});
      Matcher other = OTHER.matcher(report);
      if (!other.find()) {
        throw new IllegalStateException("no count of memory outside the heap in: " + report);
      }
      return Long.parseLong(other.group(1));
    } catch (JMException e) {
      throw new IllegalStateException(e);
    }
  }
}
