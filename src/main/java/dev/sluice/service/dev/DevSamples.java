package dev.sluice.service.dev;

import java.util.List;
import java.util.Map;

import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;

import org.jboss.resteasy.reactive.RestPath;

import dev.sluice.api.RateLimited;
import io.quarkus.arc.profile.IfBuildProfile;
import io.smallrye.common.annotation.NonBlocking;

/** Sample endpoints for dev mode; not part of any package. */
@IfBuildProfile("dev")
@Path("/api/v1")
public class DevSamples {

    @GET
    @Path("campaigns")
    @NonBlocking
    public Map<String, List<String>> campaigns() {
        return Map.of("campaigns", List.of("spring", "summer"));
    }

    @GET
    @Path("campaigns/{name}")
    @NonBlocking
    public Map<String, String> campaign(@RestPath String name) {
        return Map.of("name", name);
    }

    @POST
    @Path("reports")
    @RateLimited("2/minute")
    public Map<String, String> report() {
        return Map.of("report", "made");
    }
}
