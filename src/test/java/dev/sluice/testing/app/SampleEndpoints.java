package dev.sluice.testing.app;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Response;

import org.jboss.resteasy.reactive.RestPath;

import dev.sluice.api.RateLimited;
import io.smallrye.common.annotation.NonBlocking;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;

/** JAX-RS resource of an application that uses the library. */
@Path("/")
public class SampleEndpoints {

    public static final AtomicInteger CALLS = new AtomicInteger();
    public static final AtomicReference<CompletableFuture<String>> HELD = new AtomicReference<>(new CompletableFuture<>());

    @Inject
    LimitedBean bean;

    @GET
    @Path("campaigns")
    public String campaigns() {
        return "campaigns " + CALLS.incrementAndGet();
    }

    @GET
    @Path("api/v1/campaigns/{id}")
    public Uni<String> campaign(@RestPath String id) {
        return Uni.createFrom().item("campaign " + id);
    }

    @GET
    @Path("plain")
    public String withoutRule() {
        return "plain";
    }

    @GET
    @Path("fails")
    public String fails() {
        throw new IllegalStateException("on purpose");
    }

    /** Completes when {@link #HELD} does. */
    @GET
    @Path("held")
    public Uni<String> held() {
        return Uni.createFrom().completionStage(HELD.get());
    }

    @GET
    @Path("held-then-fails")
    public String heldThenFails() {
        throw new IllegalStateException("on purpose");
    }

    @GET
    @Path("{rule:answers|billed|capped}/{status}")
    public Response answer(@RestPath int status, @QueryParam("cost") List<String> costs) {
        if (status == 0) {
            throw new IllegalStateException("on purpose");
        }
        var response = Response.status(status).entity("answer");
        costs.forEach(cost -> response.header("X-Cost", cost));
        return response.build();
    }

    @GET
    @Path("{rule:costly|priced|fixed}")
    public String costs() {
        return "answer";
    }

    @GET
    @Path("multi")
    public Multi<String> multi() {
        return Multi.createFrom().items("a", "b");
    }

    @GET
    @Path("annotated/blocking")
    @RateLimited("3/minute")
    public String annotatedBlocking() {
        return "blocking";
    }

    @GET
    @Path("annotated/nonblocking")
    @NonBlocking
    @RateLimited("3/minute")
    public String annotatedNonBlocking() {
        return "nonblocking";
    }

    @GET
    @Path("annotated/uni")
    @RateLimited("3/minute")
    public Uni<String> annotatedUni() {
        return Uni.createFrom().item("uni");
    }

    @GET
    @Path("annotated/multi")
    @RateLimited("3/minute")
    public Multi<String> annotatedMulti() {
        return Multi.createFrom().items("a", "b");
    }

    @GET
    @Path("annotated/stage")
    @RateLimited("3/minute")
    public CompletionStage<String> annotatedStage() {
        return CompletableFuture.completedFuture("stage");
    }

    @GET
    @Path("users")
    @RateLimited("3/minute")
    public String namedRuleAndAnnotation() {
        return "users";
    }

    @POST
    @Path("tenants/{tenant}")
    @RateLimited(value = "1/minute", key = "{tenant}-{region}", resource = "tenants")
    public String tenant(@RestPath String tenant, @QueryParam("region") String region) {
        return tenant;
    }

    @GET
    @Path("keyed")
    @RateLimited(value = "1/minute", key = "header:X-Tenant?, ip", resource = "keyed")
    public String keyed() {
        return "keyed";
    }

    @GET
    @Path("nested")
    public String nested() {
        return bean.plain();
    }

    @GET
    @Path("nested-loop")
    @NonBlocking
    public String nestedOnAnEventLoop() {
        return bean.plain();
    }

    @GET
    @Path("nested-uni")
    public Uni<String> nestedUni() {
        return bean.uni();
    }
}
