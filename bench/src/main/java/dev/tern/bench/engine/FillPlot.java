package dev.tern.bench.engine;

import dev.tern.bench.engine.LongFill.Series;
import dev.tern.bench.engine.LongFill.Stall;
import java.util.List;
import java.util.Locale;

/// Long fills as one HTML page that needs nothing else: writes a second, and the longest write of
/// each second beside the machine's own hiccups.
final class FillPlot {
  private static final int WIDTH = 1000;
  private static final int HEIGHT = 280;
  private static final int LEFT = 70;
  private static final int BOTTOM = 30;

  /// Milliseconds at the bottom and the top of the second panel, whose scale is logarithmic.
  private static final double LEAST_MILLIS = 0.1;

  private static final double MOST_MILLIS = 100_000;

  private static final String STYLE =
      """
      body { font: 14px/1.5 system-ui, sans-serif; max-width: 1100px; margin: 2em auto;
        color: #222; background: #fff; padding: 0 1em }
      svg { width: 100%; height: auto }
      text { font: 12px system-ui, sans-serif; fill: #555 }
      .grid { stroke: #ddd; stroke-width: 1 }
      .tern { stroke: #0a7d6c; fill: none; stroke-width: 1.5 }
      .rocksdb { stroke: #c2571a; fill: none; stroke-width: 1.5 }
      .hiccup { stroke: #999; fill: none; stroke-width: 1; stroke-dasharray: 3 3 }
      .limit { stroke: #b00; stroke-width: 1; stroke-dasharray: 6 4 }
      circle.tern { fill: #0a7d6c } circle.rocksdb { fill: #c2571a }
      table { border-collapse: collapse } td, th { padding: .2em 1em .2em 0; text-align: right }
      th:first-child, td:first-child { text-align: left }
      """;

  private final List<Series> all;
  private final int valueBytes;
  private final int keys;
  private final int seconds;

  FillPlot(List<Series> all, int valueBytes, int keys) {
    this.all = all;
    this.valueBytes = valueBytes;
    this.keys = keys;
    this.seconds = all.stream().mapToInt(series -> series.operations().length).max().orElse(1);
  }

  String html() {
    StringBuilder page = new StringBuilder();
    page.append("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">");
    page.append("<title>Random fill</title><style>").append(STYLE).append("</style>");
    page.append(
        String.format(
            Locale.ROOT,
            "<h1>Random fill, %d s for each engine alone</h1><p>One thread, %,d keys of 16 bytes,"
                + " values of %d bytes, log written but not synced. <span style=\"color:#0a7d6c\">"
                + "&#9632; tern</span> <span style=\"color:#c2571a\">&#9632; rocksdb</span>"
                + " <span style=\"color:#999\">- - the machine's hiccups</span></p>",
            seconds,
            keys,
            valueBytes));
    table(page);
    page.append("<h2>Writes a second</h2>");
    throughput(page);
    page.append(
        "<h2>Longest write of each second, ms</h2><p>Circles: writes over 100 ms, by what the"
            + " machine did not withhold.</p>");
    latencies(page);
    return page.append("</html>\n").toString();
  }

  private void table(StringBuilder page) {
    page.append(
        "<table><tr><th>engine<th>writes/s<th>worst second<th>median second<th>p99 us"
            + "<th>p99.9 us<th>max ms<th>stalls &gt; 100 ms<th>beyond hiccups<th>disk MiB"
            + "<th>written/byte</tr>");
    for (Series series : all) {
      page.append(
          String.format(
              Locale.ROOT,
              "<tr><td>%s<td>%,.0f<td>%,d<td>%,d<td>%.1f<td>%.0f<td>%.1f<td>%d<td>%d<td>%.0f"
                  + "<td>%.2f</tr>",
              series.kind().label(),
              series.perSecond(),
              series.secondAt(0),
              series.secondAt(50),
              series.nanos().getValueAtPercentile(99) / 1e3,
              series.nanos().getValueAtPercentile(99.9) / 1e3,
              series.nanos().getMaxValue() / 1e6,
              series.stalls().size(),
              series.stallsBeyond(),
              series.outcome().diskBytes() / 1048576.0,
              series.outcome().writeAmplification()));
    }
    page.append("</table>");
  }

  private void open(StringBuilder page) {
    page.append(
        String.format(
            Locale.ROOT, "<svg viewBox=\"0 0 %d %d\" role=\"img\">", WIDTH, HEIGHT + BOTTOM));
    int step = Math.max(1, seconds / 10);
    for (int second = 0; second <= seconds; second += step) {
      page.append(
          String.format(
              Locale.ROOT,
              "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"0\" y2=\"%d\"/>"
                  + "<text x=\"%.1f\" y=\"%d\">%d s</text>",
              x(second),
              x(second),
              HEIGHT,
              x(second),
              HEIGHT + 18,
              second));
    }
  }

  private double x(double second) {
    return LEFT + second * (WIDTH - LEFT - 10) / seconds;
  }

  private static void level(StringBuilder page, String shape, double y, String label) {
    page.append(
        String.format(
            Locale.ROOT,
            "<line class=\"%s\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
                + "<text x=\"0\" y=\"%.1f\">%s</text>",
            shape,
            LEFT,
            WIDTH,
            y,
            y,
            Math.max(11, y + 4),
            label));
  }

  private void throughput(StringBuilder page) {
    long most = 1;
    for (Series series : all) {
      for (long operations : series.operations()) {
        most = Math.max(most, operations);
      }
    }
    open(page);
    for (int i = 0; i <= 4; i++) {
      level(
          page, "grid", HEIGHT - HEIGHT * i / 4.0, String.format(Locale.ROOT, "%,d", most * i / 4));
    }
    for (Series series : all) {
      page.append("<polyline class=\"" + series.kind().label() + "\" points=\"");
      for (int i = 0; i < series.operations().length; i++) {
        double y = HEIGHT - (double) HEIGHT * series.operations()[i] / most;
        page.append(String.format(Locale.ROOT, "%.1f,%.1f ", x(i + 0.5), y));
      }
      page.append("\"/>");
    }
    page.append("</svg>");
  }

  private static double y(double nanos) {
    double millis = Math.clamp(nanos / 1e6, LEAST_MILLIS, MOST_MILLIS);
    return HEIGHT - HEIGHT * Math.log(millis / LEAST_MILLIS) / Math.log(MOST_MILLIS / LEAST_MILLIS);
  }

  private void latencies(StringBuilder page) {
    open(page);
    for (double millis = LEAST_MILLIS; millis <= MOST_MILLIS; millis *= 10) {
      level(
          page,
          "grid",
          y(millis * 1e6),
          millis < 1 ? "0.1" : String.format(Locale.ROOT, "%,.0f", millis));
    }
    level(page, "limit", y(LongFill.STALL_NANOS), "");
    for (Series series : all) {
      line(page, "hiccup", series.hiccupNanos());
      line(page, series.kind().label(), series.worstNanos());
      for (Stall stall : series.stalls()) {
        page.append(
            String.format(
                Locale.ROOT,
                "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"><title>%s: %.0f ms, %.0f"
                    + " beyond the machine's</title></circle>",
                series.kind().label(),
                x(stall.atNanos() / 1e9),
                y((double) stall.beyondNanos()),
                series.kind().label(),
                stall.tookNanos() / 1e6,
                stall.beyondNanos() / 1e6));
      }
    }
    page.append("</svg>");
  }

  private void line(StringBuilder page, String shape, long[] nanos) {
    page.append("<polyline class=\"" + shape + "\" points=\"");
    for (int i = 0; i < nanos.length; i++) {
      page.append(String.format(Locale.ROOT, "%.1f,%.1f ", x(i + 0.5), y((double) nanos[i])));
    }
    page.append("\"/>");
  }
}
