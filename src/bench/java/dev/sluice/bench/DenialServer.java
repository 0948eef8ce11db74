package dev.sluice.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;

/** Baseline of a denial: a Vert.x server process that sends Sluice's own response with status 429, without a decision. */
final class DenialServer {

    private static final String HEADER_SECTION_END = "\r\n\r\n";

    /** Header field of the response, with names and values that need no encoding per request. */
    private record Field(CharSequence name, CharSequence value) {
    }

    private DenialServer() {
    }

    /** @param response bytes of a response with a Content-Length */
    static ServerProcess start(byte[] response) throws IOException {
        var file = Files.createDirectories(BenchmarkSettings.OUTPUT).resolve("denial.http");
        Files.write(file, response);
        return ServerProcess.java(DenialServer.class, file.toString());
    }

    public static void main(String[] arguments) throws IOException {
        var response = Files.readString(Path.of(arguments[1]), StandardCharsets.ISO_8859_1);
        int headerSectionEnd = response.indexOf(HEADER_SECTION_END);
        var fields = Arrays.stream(response.substring(0, headerSectionEnd).split("\r\n")).skip(1)
                .map(line -> line.split(": ", 2))
                .map(line -> new Field(HttpHeaders.createOptimized(line[0]), HttpHeaders.createOptimized(line[1]))).toList();
        var body = Buffer.buffer(response.substring(headerSectionEnd + HEADER_SECTION_END.length()), "ISO-8859-1");
        BareServer.listen(Integer.parseInt(arguments[0]), vertx -> request -> {
            var denial = request.response().setStatusCode(429);
            fields.forEach(field -> denial.putHeader(field.name(), field.value()));
            denial.end(body.copy());
        });
    }
}
