package dev.tern.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLConnection;

/// What a node's admin door says.
final class AdminPage {
  private static final int CONNECT_MILLIS = 3_000;
  private static final int READ_MILLIS = 5_000;

  private AdminPage() {}

  /// A page of JSON.
  ///
  /// @param admin HOST:PORT of the door
  /// @param path as `/health`
  /// @throws IOException if no node answers there in time, or not with what was asked for
  static JsonNode get(String admin, String path) throws IOException {
    URLConnection connection = URI.create("http://" + admin + path).toURL().openConnection();
    connection.setConnectTimeout(CONNECT_MILLIS);
    connection.setReadTimeout(READ_MILLIS);
    try (InputStream in = connection.getInputStream()) {
      return JsonMapper.builder().build().readTree(in);
    } catch (IOException e) {
      throw new IOException("no node answers at " + admin + " (--admin HOST:PORT)", e);
    }
  }
}
