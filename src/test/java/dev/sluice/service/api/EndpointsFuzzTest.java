package dev.sluice.service.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;

import jakarta.validation.Validation;

import org.junit.jupiter.api.Test;

import dev.sluice.http.ErrorResponse;
import dev.sluice.service.auth.BearerToken;
import dev.sluice.service.auth.JwtOnlyMechanism;
import dev.sluice.service.llm.ProviderPaths;
import dev.sluice.service.llm.ProviderQuery;
import dev.sluice.testing.Fuzzer;

/** Every input of the endpoints is either accepted or rejected with the name of a field. */
class EndpointsFuzzTest {

    private static final RequestBodyReader BODY_READER = new RequestBodyReader(
            Validation.buildDefaultValidatorFactory().getValidator());
    private static final List<String> BODIES = List.of(
            "{\"identifier\":\"user123\",\"resource\":\"custom_operation\",\"limit\":10,\"window_seconds\":60,\"cost\":1}",
            "{\"identifier\":\"\\u00e9\\ud83d\\ude00\",\"resource\":\"api:/campaigns\",\"tier\":\"pro\"}",
            "{\"identifier\":\"a\",\"resource\":\"b\",\"rate\":\"10/second;100/minute\"}", "{\"a\":".repeat(1200));
    private static final List<String> AUTHORIZATIONS = List.of("Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln",
            "bearer admin-secret", "Basic YTpi", "Bearer");
    private static final List<String> QUERIES = List.of("key=AIza-of-sluice&alt=sse&fields=a", "%24alt=proto", "key");

    @Test
    void malformedBodiesAreRejected() {
        Fuzzer.run(10, random -> {
            try {
                BODY_READER.read(Fuzzer.mutate(random, Fuzzer.bytes(Fuzzer.pick(random, BODIES))), CheckRequest.class);
            } catch (BadRequestException e) {
                var response = e.errorResponse();
                assertThat(response.status()).isEqualTo(400);
                assertThat(response.message()).doesNotContain(Fuzzer.MARKER);
                assertThat(response.details().getString("field")).isNotEmpty().hasSizeLessThanOrEqualTo(64);
                response.body(ErrorResponse.PROBLEM_JSON);
            }
        });
    }

    @Test
    void malformedCredentialsAreHandled() {
        Fuzzer.run(5, random -> {
            var authorization = Fuzzer.mutate(random, Fuzzer.pick(random, AUTHORIZATIONS));
            JwtOnlyMechanism.bearsJwt(authorization);
            BearerToken.of(authorization);
            for (var part : Fuzzer.mutate(random, Fuzzer.pick(random, QUERIES)).split("&")) {
                ProviderQuery.parameters(part);
            }
            ProviderPaths.escapesPath('/' + authorization);
        });
    }
}
