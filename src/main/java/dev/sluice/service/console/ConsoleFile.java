package dev.sluice.service.console;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

import io.vertx.core.buffer.Buffer;

/**
 * A static file of the console. Immutable.
 *
 * @param content the whole file, which is never changed
 * @param contentType media type with the character set
 * @param etag strong entity tag, in quotes
 */
record ConsoleFile(Buffer content, String contentType, String etag) {

    /** Page that is served for the folder. */
    static final String INDEX = "index.html";
    /** Folder in the class path, below this package. {@code ConsoleRoutesTest} compares its content with this list. */
    static final List<String> NAMES = List.of(INDEX, "style.css", "icon.svg", "app.js", "api.js", "chart.js", "dom.js",
            "format.js", "live.js", "worker.js", "route.js", "session.js", "stream.js", "views/audit.js",
            "views/identifier.js", "views/identities.js",
            "views/identity.js", "views/llm.js", "views/login.js", "views/overview.js", "views/rules.js", "views/spend.js",
            "views/start.js",
            "views/traffic.js", "uPlot.iife.min.js", "uPlot.min.css");

    private static final Map<String, String> TYPES = Map.of("html", "text/html; charset=utf-8", "css",
            "text/css; charset=utf-8", "js", "text/javascript; charset=utf-8", "svg", "image/svg+xml");

    /** Reads a file from the class path. */
    static ConsoleFile read(String name) {
        try (var stream = ConsoleFile.class.getResourceAsStream(name)) {
            if (stream == null) {
                throw new IllegalStateException("A file of the console is missing in the class path: " + name);
            }
            var bytes = stream.readAllBytes();
            var digest = MessageDigest.getInstance("SHA-256").digest(bytes);
            return new ConsoleFile(Buffer.buffer(bytes), TYPES.get(name.substring(name.lastIndexOf('.') + 1)),
                    '"' + HexFormat.of().formatHex(digest, 0, 12) + '"');
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every Java platform has SHA-256
        }
    }
}
