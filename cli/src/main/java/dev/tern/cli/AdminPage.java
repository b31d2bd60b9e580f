package dev.tern.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.URLConnection;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// What a node's admin door says.
final class AdminPage {
  private static final int CONNECT_MILLIS = 3_000;
  private static final int READ_MILLIS = 10_000;
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private AdminPage() {}

  /// A page of JSON.
  ///
  /// @param admin HOST:PORT of the door
  /// @param path as `/health`
  /// @throws IOException if no node answers there in time, or not with what was asked for
  static JsonNode get(String admin, String path) throws IOException {
    return ask(admin, path, null);
  }

  /// A page of text.
  ///
  /// @throws IOException if no node answers there in time, or not with that page
  static String text(String admin, String path) throws IOException {
    URLConnection connection = URI.create("http://" + admin + path).toURL().openConnection();
    connection.setConnectTimeout(CONNECT_MILLIS);
    connection.setReadTimeout(READ_MILLIS);
    try (InputStream in = connection.getInputStream()) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  /// Has something done; the answer.
  ///
  /// @throws IOException if it was not done, with the node's reason, or if that is not known
  static JsonNode post(String admin, String path, ObjectNode body) throws IOException {
    return ask(admin, path, body);
  }

  static ObjectNode body() {
    return JSON.createObjectNode();
  }

  private static JsonNode ask(String admin, String path, @Nullable ObjectNode body)
      throws IOException {
    int status;
    String answer;
    boolean told = false;
    try {
      HttpURLConnection connection =
          (HttpURLConnection) URI.create("http://" + admin + path).toURL().openConnection();
      connection.setConnectTimeout(CONNECT_MILLIS);
      connection.setReadTimeout(READ_MILLIS);
      if (body != null) {
        connection.setDoOutput(true);
        connection.setRequestProperty("Content-Type", "application/json");
        try (OutputStream out = connection.getOutputStream()) {
          told = true;
          out.write(body.toString().getBytes(StandardCharsets.UTF_8));
        }
      }
      status = connection.getResponseCode();
      try (InputStream in =
          status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
        answer = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      }
    } catch (IOException e) {
      throw new IOException(
          told
              ? "the node at %s did not say what came of it: it may have been done, look again"
                  .formatted(admin)
              : "no node answers at " + admin + " (--admin HOST:PORT)",
          e);
    }
    boolean page = answer.startsWith("{") || answer.startsWith("[");
    if (status < 400 || body == null && page) {
      return JSON.readTree(answer);
    }
    throw new IOException(page ? JSON.readTree(answer).path("error").asText() : answer.strip());
  }
}
