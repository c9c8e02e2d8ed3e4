package skipgram;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.apache.beam.model.jobmanagement.v1.JobApi;
import org.apache.beam.model.jobmanagement.v1.JobServiceGrpc;
import org.apache.beam.model.pipeline.v1.Endpoints.ApiServiceDescriptor;
import org.apache.beam.model.pipeline.v1.RunnerApi;
import org.apache.beam.runners.flink.FlinkPipelineOptions;
import org.apache.beam.runners.fnexecution.artifact.ArtifactStagingService;
import org.apache.beam.sdk.io.FileSystems;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.apache.beam.sdk.options.PortablePipelineOptions;
import org.apache.beam.vendor.grpc.v1p69p0.io.grpc.Server;
import org.apache.beam.vendor.grpc.v1p69p0.io.grpc.Status;
import org.apache.beam.vendor.grpc.v1p69p0.io.grpc.netty.NettyServerBuilder;
import org.apache.beam.vendor.grpc.v1p69p0.io.grpc.stub.StreamObserver;

/**
 * A server of Beam's Job API whose jobs Beam's Flink runner translates and a Flink cluster in this
 * process runs.
 *
 * <p>It does what FlinkJobServerDriver of Beam's beam-runners-java-job-service does with the flink
 * master [local], for batch jobs: what a client needs to prepare, stage, run and follow a job.
 * It listens on the loopback interface alone, and so does what Beam's runner opens for the workers of
 * a job, by the ServerFactory that is in this jar.
 */
public final class JobServer extends JobServiceGrpc.JobServiceImplBase {
  private final String configuration;
  private final ArtifactStagingService staging;
  private final ApiServiceDescriptor endpoint;
  private final Map<String, JobApi.PrepareJobRequest> prepared = new ConcurrentHashMap<>();
  private final Map<String, Job> jobs = new ConcurrentHashMap<>();

  private JobServer(int port, String configuration, ArtifactStagingService staging) {
    this.configuration = configuration;
    this.staging = staging;
    this.endpoint = ApiServiceDescriptor.newBuilder().setUrl("localhost:" + port).build();
  }

  /**
   * Serves until the process is ended.
   *
   * @param arguments the port, the folder of flink-conf.yaml, the folder for what clients stage
   */
  public static void main(String[] arguments) throws Exception {
    if (arguments.length != 3) {
      throw new IllegalArgumentException("give PORT, FLINK_CONF_DIR and ARTIFACTS_DIR");
    }
    int port = Integer.parseInt(arguments[0]);
    String artifacts = new File(arguments[2]).getAbsolutePath();
    FileSystems.setDefaultPipelineOptions(PipelineOptionsFactory.create());
    ArtifactStagingService staging =
        new ArtifactStagingService(
            ArtifactStagingService.beamFilesystemArtifactDestinationProvider(artifacts));
    Server server =
        NettyServerBuilder.forAddress(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
            .addService(new JobServer(port, new File(arguments[1]).getAbsolutePath(), staging))
            .addService(staging)
            // A pipeline holds its functions, and these what they were given.
            .maxInboundMessageSize(Integer.MAX_VALUE)
            .build()
            .start();
    server.awaitTermination();
  }

  @Override
  public void describePipelineOptions(
      JobApi.DescribePipelineOptionsRequest request,
      StreamObserver<JobApi.DescribePipelineOptionsResponse> response) {
    answer(
        response,
        JobApi.DescribePipelineOptionsResponse.newBuilder()
            .addAllOptions(
                PipelineOptionsFactory.describe(
                    Set.of(FlinkPipelineOptions.class, PortablePipelineOptions.class)))
            .build());
  }

  @Override
  public void prepare(
      JobApi.PrepareJobRequest request, StreamObserver<JobApi.PrepareJobResponse> response) {
    String preparation = UUID.randomUUID().toString();
    Map<String, List<RunnerApi.ArtifactInformation>> artifacts = new HashMap<>();
    request
        .getPipeline()
        .getComponents()
        .getEnvironmentsMap()
        .forEach((id, environment) -> artifacts.put(id, environment.getDependenciesList()));
    staging.registerJob(preparation, artifacts);
    prepared.put(preparation, request);
    answer(
        response,
        JobApi.PrepareJobResponse.newBuilder()
            .setPreparationId(preparation)
            .setArtifactStagingEndpoint(endpoint)
            .setStagingSessionToken(preparation)
            .build());
  }

  @Override
  public void run(JobApi.RunJobRequest request, StreamObserver<JobApi.RunJobResponse> response) {
    String preparation = request.getPreparationId();
    JobApi.PrepareJobRequest what = prepared.remove(preparation);
    if (what == null) {
      response.onError(unknown(preparation));
      return;
    }
    // Not the preparation's: a client asks for a job by that first, with a time limit of a minute.
    String id = "job-" + preparation;
    Job job = new Job(id, withStaged(what.getPipeline(), preparation), what.getPipelineOptions());
    jobs.put(id, job);
    new Thread(() -> runAndTidy(job, preparation), id).start();
    answer(response, JobApi.RunJobResponse.newBuilder().setJobId(id).build());
  }

  private void runAndTidy(Job job, String preparation) {
    job.run(configuration);
    try {
      staging.removeStagedArtifacts(preparation);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  /** The pipeline with what was staged in the place of what was to be. */
  private RunnerApi.Pipeline withStaged(RunnerApi.Pipeline pipeline, String preparation) {
    RunnerApi.Pipeline.Builder builder = pipeline.toBuilder();
    staging
        .getStagedArtifacts(preparation)
        .forEach(
            (id, artifacts) ->
                builder
                    .getComponentsBuilder()
                    .putEnvironments(
                        id,
                        pipeline.getComponents().getEnvironmentsOrThrow(id).toBuilder()
                            .clearDependencies()
                            .addAllDependencies(artifacts)
                            .build()));
    return builder.build();
  }

  @Override
  public void getState(
      JobApi.GetJobStateRequest request, StreamObserver<JobApi.JobStateEvent> response) {
    Job job = jobs.get(request.getJobId());
    if (job == null) {
      response.onError(unknown(request.getJobId()));
      return;
    }
    answer(response, job.state());
  }

  @Override
  public void getStateStream(
      JobApi.GetJobStateRequest request, StreamObserver<JobApi.JobStateEvent> response) {
    follow(
        request.getJobId(),
        response,
        event -> {
          if (event.hasStateResponse()) {
            response.onNext(event.getStateResponse());
          }
        });
  }

  @Override
  public void getMessageStream(
      JobApi.JobMessagesRequest request, StreamObserver<JobApi.JobMessagesResponse> response) {
    follow(request.getJobId(), response, response::onNext);
  }

  private void follow(
      String id, StreamObserver<?> response, Consumer<JobApi.JobMessagesResponse> each) {
    Job job = jobs.get(id);
    if (job == null) {
      response.onError(unknown(id));
      return;
    }
    try {
      job.forEachEvent(each);
    } catch (InterruptedException error) {
      response.onError(Status.CANCELLED.withCause(error).asException());
      return;
    }
    response.onCompleted();
  }

  private static Exception unknown(String id) {
    return Status.NOT_FOUND.withDescription("there is no job " + id).asException();
  }

  private static <T> void answer(StreamObserver<T> response, T value) {
    response.onNext(value);
    response.onCompleted();
  }
}
