package dev.sluice.service.edge;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.logging.Level;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.testing.EchoUpstream;
import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.LogRecorder;
import dev.sluice.testing.RawHttpConnection;
import dev.sluice.testing.RawHttpConnection.Response;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.TlsProfile;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;

/** Malformed requests get an error in Sluice's format, also as pipelined requests, and log nothing. */
@QuarkusTest
@TestProfile(TlsProfile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(EchoUpstream.class)
class MalformedRequestTest extends HttpTestBase {

    private static final String VALID = "GET /open/status/418 HTTP/1.1\r\nHost: x\r\n\r\n";

    @TestHTTPResource(value = "/", tls = true)
    URI tls;

    private final Queue<String> logged = new ConcurrentLinkedQueue<>();
    private LogRecorder log;

    @BeforeEach
    void watchLog() {
        log = LogRecorder.start(Level.WARNING, true);
    }

    @AfterEach
    void assertNothingLogged() {
        log.close();
        assertThat(log.records()).isEmpty();
    }

    private interface Exchange {

        void with(RawHttpConnection connection) throws IOException;
    }

    private void overEachTransport(Exchange exchange) throws IOException {
        try (var plain = new RawHttpConnection(port)) {
            exchange.with(plain);
        }
        try (var secure = RawHttpConnection.withTls(tls.getPort())) {
            exchange.with(secure);
        }
    }

    private static void assertRejected(RawHttpConnection connection, int status, String code, String field)
            throws IOException {
        var response = connection.readResponse();
        assertThat(response.status()).as(response.text()).isEqualTo(status);
        assertThat(response.text()).contains("\"error\":{\"code\":\"" + code + "\"");
        if (field != null) {
            assertThat(response.text()).contains("\"field\":\"" + field + "\"");
        }
        assertThat(response.header("Content-Type")).isEqualTo("application/json");
        assertThat(response.header("Connection")).isEqualTo("close");
        assertThat(response.header("X-Content-Type-Options")).isEqualTo("nosniff");
        assertThat(connection.isClosedByServer()).isTrue();
    }

    private void assertRejected(String request, int status, String code, String field) throws IOException {
        overEachTransport(connection -> {
            connection.send(request + VALID);
            assertRejected(connection, status, code, field);
        });
        overEachTransport(connection -> {
            connection.send(VALID + request + VALID);
            assertThat(connection.readResponse().status()).isEqualTo(418);
            assertRejected(connection, status, code, field);
        });
        overEachTransport(connection -> {
            connection.send(VALID);
            assertThat(connection.readResponse().status()).isEqualTo(418);
            connection.send(request);
            assertRejected(connection, status, code, field);
        });
    }

    private static String unescape(String text) {
        return text.replace("\\r", "\r").replace("\\n", "\n").replace("\\t", "\t").replace("\\0", "\0").replace("\\x1", "\1")
                .replace("\\x7f", "\177").replace("\\x16", "\26");
    }

    @Test
    void missingHostIsNamed() throws IOException {
        assertRejected("GET /open HTTP/1.1\r\n\r\n", 400, "RATE_4001", "host");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
            "G@T / HTTP/1.1|method", "G\\0T / HTTP/1.1|method", "\"GET\" / HTTP/1.1|method", "GET|path", "GET /|version",
            "GET / HTTP/1.2|version", "GET / HTTP/2.0|version", "GET / HTTP/0.9|version", "GET / http/1.1|version",
            "GET / HTTP/1.1x|version", "GET / FOO/1.1|version", "GET / / HTTP/1.1|version", "GET/HTTP/1.1|method",
            "GET /a\\0b HTTP/1.1|path", "GET /a\\x1b HTTP/1.1|path", "GET /a\\x7fb HTTP/1.1|path",
            "CONNECT /path HTTP/1.1|path", "CONNECT / HTTP/1.1|path", "GET / HTTP/9.9|version", "\\x16\\x1\\x1|request",
            "\\0|request"})
    void malformedRequestLines(String line, String field) throws IOException {
        assertRejected(unescape(line) + "\r\nHost: x\r\n\r\n", 400, "RATE_4001", field);
    }

    @ParameterizedTest
    @ValueSource(strings = {"no colon", "Name : x", "Na me: x", ": x", "Na\\0me: x", "Name: a\\0b", "Name: a\\x1b",
            " Folded: x", "Name: a\\rb", "N\u00e4me: x", "N(me: x"})
    void malformedHeaders(String header) throws IOException {
        assertRejected("GET /open HTTP/1.1\r\n" + unescape(header) + "\r\nHost: x\r\n\r\n", 400, "RATE_4001", "headers");
    }

    @ParameterizedTest
    @ValueSource(strings = {"Content-Length: -5", "Content-Length: +5", "Content-Length: 5, 6", "Content-Length: 0x5",
            "Content-Length: 5 5", "Content-Length: 5\r\nContent-Length: 6", "Content-Length: 99999999999999999999",
            "Content-Length: ", "Content-Length: 5\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: identity", "Transfer-Encoding: xchunked", "Transfer-Encoding: chunked, chunked",
            "Transfer-Encoding: chunked, gzip"})
    void ambiguousBodyLengths(String header) throws IOException {
        for (var path : new String[]{"/open/count", "/v1/check", "/openai/v1/chat/completions"}) {
            assertRejected("POST " + path + " HTTP/1.1\r\nHost: x\r\n" + header + "\r\n\r\n", 400, "RATE_4001", "headers");
        }
    }

    @Test
    void chunkedBodiesNeedHttp11() throws IOException {
        assertRejected("POST /open HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "RATE_4001", "headers");
    }

    @Test
    void bareLineFeedsAreRejected() throws IOException {
        assertRejected("GET /open HTTP/1.1\nHost: x\n\n", 400, "RATE_4001", "request");
        assertRejected("GET /open HTTP/1.1\r\nHost: x\nName: y\r\n\r\n", 400, "RATE_4001", "headers");
    }

    @Test
    void oversizedRequestLinesAndHeadersAreRejected() throws IOException {
        assertRejected("GET /" + "x".repeat(1 << 20) + " HTTP/1.1\r\nHost: x\r\n\r\n", 414, "RATE_4141", null);
        assertRejected("GET /open HTTP/1.1\r\nHost: x\r\nName: " + "x".repeat(1 << 20) + "\r\n\r\n", 431, "RATE_4311", null);
        assertRejected("GET /open HTTP/1.1\r\nHost: x\r\n" + "N: x\r\n".repeat(10_000) + "\r\n", 431, "RATE_4311", null);
        try (var connection = new RawHttpConnection(port)) {
            connection.send("GET /" + "x".repeat(1 << 16) + " HTTP/1.1\r\nHost: x\r\n\r\n");
            assertThat(connection.readResponse().text()).contains("(QUARKUS_HTTP_LIMITS_MAX_INITIAL_LINE_LENGTH)");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"x\r\n", "-1\r\n", "5 \r\nabcde\r\n", "5\r\nabcdefg\r\n0\r\n\r\n", "5\nabcde\r\n0\r\n\r\n", "\r\n",
            "5\r\nabcde\r\nzz\r\n", "80000000\r\n", "0\r\nno colon\r\n\r\n"})
    void malformedChunks(String chunks) throws IOException {
        for (var path : new String[]{"POST /v1/check", "PUT /v1/check", "DELETE /v1/limits", "POST /q/nothing"}) {
            assertRejected(path + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks, 400, "RATE_4001",
                    "body");
        }
    }

    @Test
    void malformedChunkOfARequestThatIsRejectedAnyway() throws IOException {
        overEachTransport(connection -> {
            connection.send("POST /closed HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n" + VALID);
            assertThat(connection.readResponse().status()).isIn(400, 429);
            assertThat(connection.isClosedByServer()).isTrue();
        });
    }

    @Test
    void malformedChunkAfterTheResponseClosesTheConnection() throws IOException {
        overEachTransport(connection -> {
            connection.send("POST /closed HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
            assertThat(connection.readResponse().status()).isEqualTo(429);
            connection.send("x\r\n" + VALID);
            assertThat(connection.isClosedByServer()).isTrue();
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"chunked", "Chunked", "CHUNKED", "cHuNkEd", "chunked\t"})
    void chunkedIsAcceptedInAnyCase(String coding) throws IOException {
        overEachTransport(connection -> {
            for (int i = 0; i < 2; i++) {
                connection.send("POST /open/count HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: " + coding
                        + "\r\n\r\n5\r\nabcde\r\n0\r\n\r\n");
                var response = connection.readResponse();
                assertThat(response.status()).as(response.text()).isEqualTo(200);
                assertThat(response.text()).isEqualTo("5");
            }
        });
    }

    @Test
    void foldedHeadersAreUnfolded() throws IOException {
        overEachTransport(connection -> {
            connection.send("GET /open HTTP/1.1\r\nHost: x\r\nName: a\r\n b\r\n\r\n");
            assertThat(connection.readResponse().text()).contains("\"name\":[\"a b\"]");
        });
    }

    @Test
    void splitReadsAreDecoded() throws IOException {
        var pieces = new ArrayList<String>();
        ("\r\nP" + "OST /open/count HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok").chars()
                .forEach(c -> pieces.add(String.valueOf((char) c)));
        overEachTransport(connection -> {
            for (var piece : pieces) {
                connection.send(piece);
            }
            assertThat(connection.readResponse().text()).isEqualTo("2");
        });
        overEachTransport(connection -> {
            for (var piece : List.of("P", "RI", " / HTTP/1.1\r\n", "Host: x\r\n\r\n")) {
                connection.send(piece);
            }
            assertThat(connection.readResponse().status()).isEqualTo(200);
        });
    }

    @Test
    void tlsToThePlainPortIsAnswered() throws IOException {
        try (var raw = new RawHttpConnection(port)) {
            raw.send("\26\3\1\2\0\1\0\1\374\3\3" + "x".repeat(500));
            assertRejected(raw, 400, "RATE_4001", "request");
        }
    }

    @Test
    void problemFormAndHead() throws IOException {
        Response problem;
        try (var raw = new RawHttpConnection(port)) {
            raw.send("GET / HTTP/1.1\r\nHost: x\r\nAccept: application/problem+json\r\nContent-Length: x\r\n\r\n");
            problem = raw.readResponse();
        }
        assertThat(problem.header("Content-Type")).isEqualTo("application/problem+json");
        try (var raw = new RawHttpConnection(port)) {
            raw.send("HEAD / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n");
            assertThat(raw.readHeaderSection().get(0)).isEqualTo("HTTP/1.1 400 Bad Request");
            assertThat(raw.isClosedByServer()).isTrue();
        }
    }
}
