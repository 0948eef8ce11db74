package dev.sluice.service.rls;

import static dev.sluice.service.rls.Requests.descriptor;
import static dev.sluice.service.rls.Requests.request;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.ZoneOffset;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import com.google.protobuf.UInt64Value;

import dev.sluice.api.FallbackPolicy;
import dev.sluice.config.ConfigProblems;
import dev.sluice.config.RulesDocuments;
import dev.sluice.engine.JointLimiter.Part;
import dev.sluice.service.grpc.proto.RlsProto.RateLimitRequest;
import dev.sluice.store.CalendarWindow;
import dev.sluice.store.Enforcement;
import dev.sluice.store.WindowClaim;

/** Tests which decision a request asks for. */
class DescriptorRequestTest {

    /** Example 7 of envoyproxy/ratelimit's README, and rules of each enforcement. */
    private static final String TREE = """
            domain: d
            descriptors:
              - key: key_1
                value: value_1
                descriptors:
                  - {key: user, value: bkthomps, rate_limit: {name: specific_limit, requests_per_unit: 5, unit: second}}
              - key: key_2
                value: value_2
                descriptors:
                  - key: user
                    value: bkthomps
                    rate_limit: {replaces: [{name: specific_limit}], requests_per_unit: 10, unit: second}
              - {key: shadow, shadow_mode: true, rate_limit: {unit: day, requests_per_unit: 1}}
              - {key: quota, quota_mode: true, rate_limit: {unit: day, requests_per_unit: 1}}
              - {key: charge, charge: true, rate_limit: {unit: day, requests_per_unit: 1}}
              - {key: plain, rate: 1/second;5/hour}
              - {key: zero, rate_limit: {unit: day, requests_per_unit: 0}}
              - {key: zero_shadow, shadow_mode: true, rate_limit: {unit: day, requests_per_unit: 0}}
              - {key: zero_quota, quota_mode: true, rate_limit: {unit: day, requests_per_unit: 0}}
              - {key: free, rate: unlimited}
            """;

    private static final DescriptorNode ROOT = read();

    private static DescriptorNode read() {
        var problems = new ConfigProblems();
        var reader = new DomainReader(problems);
        reader.readForeign(List.of(RulesDocuments.foreign(TREE)));
        assertThat(problems.lines()).isEmpty();
        return reader.domains().get("d");
    }

    private static DescriptorRequest read(RateLimitRequest.Builder request, RequestMode mode) {
        try {
            return new DescriptorRequest("d", ROOT, request.build(), mode, FallbackPolicy.LOCAL,
                    period -> CalendarWindow.at(period, ZoneOffset.UTC, 0));
        } catch (InvalidDescriptorException e) {
            throw new AssertionError(e);
        }
    }

    private static DescriptorRequest read(RateLimitRequest.Builder request) {
        return read(request, RequestMode.LIMIT);
    }

    @Test
    void ruleReplacesAnotherOneThatMatchesTheSameRequest() {
        var first = descriptor("key_1", "value_1", "user", "bkthomps");
        var second = descriptor("key_2", "value_2", "user", "bkthomps");
        assertThat(read(request("d", first)).parts()).extracting(part -> part.claims().get(0).limit()).containsExactly(5L);
        assertThat(read(request("d", second)).parts()).extracting(part -> part.claims().get(0).limit()).containsExactly(10L);
        var both = read(request("d", first, second));
        assertThat(both.parts()).extracting(part -> part.claims().get(0).limit()).containsExactly(10L);
        assertThat(both.descriptors().get(0)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"shadow, SHADOW", "quota, QUOTA", "charge, CHARGED", "plain, ENFORCED"})
    void enforcementIsThatOfTheRule(String key, Enforcement enforcement) {
        assertThat(read(request("d", descriptor(key, "x"))).parts()).singleElement().extracting(Part::claims)
                .satisfies(claims -> assertThat(claims).extracting(WindowClaim::enforcement).containsOnly(enforcement));
        assertThat(read(request("d", descriptor(key, "x")), RequestMode.REPORT).parts()).singleElement()
                .extracting(Part::claims)
                .satisfies(claims -> assertThat(claims).extracting(WindowClaim::enforcement).containsOnly(Enforcement.CHARGED));
    }

    @ParameterizedTest
    @CsvSource({"0, , 1", "1, , 1", "7, , 7", "-1, , 4294967295", "7, 0, 0", "7, 3, 3", "7, 9999999999999, 4294967295",
            "7, -1, 4294967295"})
    void costIsThatOfTheDescriptorOrOfTheRequest(int ofRequest, Long ofDescriptor, long cost) {
        var descriptor = descriptor("shadow", "x").toBuilder();
        if (ofDescriptor != null) {
            descriptor.setHitsAddend(UInt64Value.of(ofDescriptor));
        }
        assertThat(read(request("d", descriptor.build()).setHitsAddend(ofRequest)).parts().get(0).claims())
                .extracting(WindowClaim::cost).containsExactly(cost);
    }

    @Test
    void sameWindowsOfOneRequestAreOnePart() {
        var request = read(
                request("d", descriptor("plain", "x"), descriptor("plain", "y"), descriptor("plain", "x")).setHitsAddend(2));
        assertThat(request.parts()).extracting(Part::identifier).containsExactly("rls:d:plain=x", "rls:d:plain=y");
        assertThat(request.parts().get(0).claims()).extracting(WindowClaim::cost).containsExactly(4L, 4L);
        assertThat(request.parts().get(0).claims()).extracting(WindowClaim::span).containsExactly(1_000_000L, 3_600_000_000L);
        assertThat(request.descriptors()).extracting(ruled -> ruled.orElseThrow().part()).containsExactly(0, 1, 0);
    }

    @ParameterizedTest
    @CsvSource({"zero, 1", "zero_shadow, 0", "zero_quota, 1", "zero_quota quota, 0", "zero_quota zero, 2", "plain free, 0"})
    void limitsOfZeroBlockByTheirEnforcement(String keys, int blocking) {
        var request = RateLimitRequest.newBuilder().setDomain("d");
        for (var key : keys.split(" ")) {
            request.addDescriptors(descriptor(key, "x"));
        }
        assertThat(read(request).blocking()).hasSize(blocking);
    }
}
