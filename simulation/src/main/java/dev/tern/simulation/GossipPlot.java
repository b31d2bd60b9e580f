package dev.tern.simulation;

import dev.tern.core.gossip.GossipBounds;
import dev.tern.simulation.GossipFigures.Figures;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/// A page that shows [GossipFigures] against the size of the cluster: tables and curves, in one
/// file that needs nothing else.
public final class GossipPlot {
  private static final int WIDTH = 640;
  private static final int HEIGHT = 300;
  private static final int MARGIN = 56;
  private static final String[] COLOURS = {"#1b6ca8", "#c8553d", "#3a7d44", "#7b4b94"};

  private GossipPlot() {}

  /// A curve: what is read from the figures of each size.
  private record Curve(String name, ToDoubleFunction<Figures> value) {}

  /// @param lossy figures with a tenth of the datagrams lost, by growing size
  /// @param slow figures with a tenth of the members slow, of the same sizes
  public static String html(List<Figures> lossy, List<Figures> slow) {
    StringBuilder out = new StringBuilder();
    out.append("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n");
    out.append("<title>Tern: gossip against cluster size</title>\n<style>\n");
    out.append("body{font:15px/1.5 system-ui,sans-serif;max-width:720px;margin:2em auto;");
    out.append("color:#222;background:#fff}table{border-collapse:collapse;width:100%}");
    out.append("td,th{text-align:right;padding:2px 8px;border-bottom:1px solid #ddd}");
    out.append("svg{max-width:100%;height:auto}\n</style></head><body>\n");
    out.append("<h1>Gossip against cluster size</h1>\n");
    out.append("<p>Simulated from a seed; both axes of each plot are logarithmic.</p>\n");
    section(out, "A tenth of the datagrams lost", lossy);
    section(out, "A tenth of the members slow", slow);
    return out.append("</body></html>\n").toString();
  }

  private static void section(StringBuilder out, String title, List<Figures> figures) {
    out.append("<h2>").append(title).append("</h2>\n");
    out.append("<table><tr><th>members</th><th>death seen, worst</th><th>bound</th>");
    out.append("<th>join</th><th>leave</th><th>cold start</th><th>false deaths of healthy</th>");
    out.append("<th>member-hours</th><th>bytes/s</th><th>packets/s</th></tr>\n");
    for (Figures f : figures) {
      out.append(
          String.format(
              Locale.ROOT,
              "<tr><td>%d</td><td>%d ms</td><td>%d ms</td><td>%d ms</td><td>%d ms</td>"
                  + "<td>%d ms</td><td>%d</td><td>%.1f</td><td>%.0f</td><td>%.1f</td></tr>%n",
              f.members(),
              f.slowestDetectionMillis(),
              GossipBounds.detectionMillis(f.members()),
              f.joinMillis(),
              f.leaveMillis(),
              f.coldStartMillis(),
              f.falseDeathsOfHealthy(),
              f.memberHours(),
              f.bytesPerSecond(),
              f.packetsPerSecond()));
    }
    out.append("</table>\n");
    plot(
        out,
        "milliseconds",
        figures,
        List.of(
            new Curve("death seen by all, worst", Figures::slowestDetectionMillis),
            new Curve("its bound", f -> GossipBounds.detectionMillis(f.members())),
            new Curve("join seen by all", Figures::joinMillis),
            new Curve("leave seen by all", Figures::leaveMillis)));
    plot(
        out,
        "bytes per member and second",
        figures,
        List.of(new Curve("sent", Figures::bytesPerSecond)));
  }

  private static void plot(
      StringBuilder out, String unit, List<Figures> figures, List<Curve> curves) {
    double low = Double.MAX_VALUE;
    double high = 1;
    for (Curve curve : curves) {
      for (Figures f : figures) {
        low = Math.min(low, Math.max(1, curve.value().applyAsDouble(f)));
        high = Math.max(high, curve.value().applyAsDouble(f));
      }
    }
    double bottom = Math.pow(10, Math.floor(Math.log10(low)));
    double top = Math.pow(10, Math.ceil(Math.log10(high)));
    out.append(String.format(Locale.ROOT, "<svg viewBox=\"0 0 %d %d\">%n", WIDTH, HEIGHT));
    for (double mark = bottom; mark <= top * 1.01; mark *= 10) {
      double y = y(mark, bottom, top);
      line(out, MARGIN, y, WIDTH - 8, y, "#ddd");
      text(out, MARGIN - 6, y + 4, "end", "#555", String.format(Locale.ROOT, "%.0f", mark));
    }
    for (Figures f : figures) {
      double x = x(f, figures);
      line(out, x, y(bottom, bottom, top), x, y(top, bottom, top), "#eee");
      text(out, x, HEIGHT - 24, "middle", "#555", Integer.toString(f.members()));
    }
    text(out, WIDTH / 2.0, HEIGHT - 6, "middle", "#555", "members; " + unit);
    for (int i = 0; i < curves.size(); i++) {
      String colour = COLOURS[i % COLOURS.length];
      StringBuilder points = new StringBuilder();
      for (Figures f : figures) {
        double value = Math.clamp(curves.get(i).value().applyAsDouble(f), bottom, top);
        points.append(
            String.format(Locale.ROOT, "%.1f,%.1f ", x(f, figures), y(value, bottom, top)));
      }
      out.append("<polyline fill=\"none\" stroke-width=\"2\" stroke=\"").append(colour);
      out.append("\" points=\"").append(points).append("\"/>\n");
      text(out, MARGIN + 8, 14 + 15 * i, "start", colour, curves.get(i).name());
    }
    out.append("</svg>\n");
  }

  private static void line(
      StringBuilder out, double x1, double y1, double x2, double y2, String colour) {
    out.append(
        String.format(
            Locale.ROOT,
            "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>%n",
            x1,
            y1,
            x2,
            y2,
            colour));
  }

  private static void text(
      StringBuilder out, double x, double y, String anchor, String colour, String text) {
    out.append(
        String.format(
            Locale.ROOT,
            "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" fill=\"%s\" font-size=\"12\">%s</text>%n",
            x,
            y,
            anchor,
            colour,
            text));
  }

  private static double x(Figures f, List<Figures> all) {
    double first = Math.log(all.getFirst().members());
    double last = Math.log(all.getLast().members());
    double part = last > first ? (Math.log(f.members()) - first) / (last - first) : 0.5;
    return MARGIN + 20 + part * (WIDTH - MARGIN - 60);
  }

  private static double y(double value, double bottom, double top) {
    double part = (Math.log(value) - Math.log(bottom)) / (Math.log(top) - Math.log(bottom));
    return HEIGHT - 42 - part * (HEIGHT - 60);
  }
}
