// tilewright sweep --submit slurm: a study as an array job of Slurm, and a job behind it that merges the shards.
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "cli/commands.hpp"
#include "core/text_file.hpp"
#include "sim/study/sweep.hpp"

namespace tilewright::cli {
namespace {

namespace fs = std::filesystem;

/// A word for a POSIX shell.
std::string quoted(const std::string& text) {
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

/// Slurm warns a minute before the time limit (USR1) and when it takes the node away (TERM). The program then stores its running points and
/// ends; the task puts itself back into the queue and goes on from there.
std::string array_script(const StudyOptions& options, const StudyRequest& request, const std::string& program,
                         const std::string& folder, bool divided) {
  const int jobs = std::max(options.jobs, 1);
  std::string text = "#!/bin/bash\n";
  text += fmt::format("#SBATCH --job-name={}\n", quoted("tilewright-" + request.name));
  text += fmt::format("#SBATCH --array=1-{}\n", divided ? options.tasks : 1);
  text += fmt::format("#SBATCH --ntasks=1\n#SBATCH --cpus-per-task={}\n", jobs);
  text += "#SBATCH --requeue\n#SBATCH --open-mode=append\n#SBATCH --signal=B:USR1@60\n";
  text += fmt::format("#SBATCH --output={}\n", quoted(folder + "/slurm-%A_%a.log"));
  text += fmt::format("#SBATCH --chdir={}\n", quoted(fs::current_path().string()));
  text += "\nstopped=0\n";
  text += "trap 'stopped=1; kill -TERM \"$program\" 2>/dev/null' TERM USR1\n";
  text += fmt::format("{} sweep {} -o {} --jobs {} --progress plain &\n", quoted(program),
                      quoted(fs::absolute(options.study).string()), quoted(folder), jobs);
  text += "program=$!\n";
  text += "wait \"$program\"; code=$?\n";
  text += "while kill -0 \"$program\" 2>/dev/null; do wait \"$program\"; code=$?; done  # a signal ends `wait` early\n";
  text += "if [ \"$stopped\" = 1 ] && [ \"$code\" = 3 ]; then\n";
  text += "  scontrol requeue \"${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}\" 2>/dev/null || true\n";
  text += "fi\n";
  text += "[ \"$code\" = 1 ] && code=0  # points that failed are rows of the results\n";
  return text + "exit \"$code\"\n";
}

std::string merge_script(const StudyRequest& request, const std::string& program, const std::string& folder) {
  std::string text = "#!/bin/bash\n";
  text += fmt::format("#SBATCH --job-name={}\n", quoted("tilewright-merge-" + request.name));
  text += "#SBATCH --ntasks=1\n#SBATCH --requeue\n#SBATCH --open-mode=append\n";
  text += fmt::format("#SBATCH --output={}\n", quoted(folder + "/slurm-merge-%j.log"));
  text += fmt::format("#SBATCH --chdir={}\n", quoted(fs::current_path().string()));
  return text + fmt::format("\nexec {} merge {}\n", quoted(program), quoted(folder));
}

/// What sbatch prints; InputError with what it said on standard error where it refuses.
std::string run_sbatch(const std::vector<std::string>& arguments) {
  std::vector<std::string> words{"sbatch", "--parsable"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw InputError({"sbatch", 0, 0, ""}, std::strerror(errno));
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::execvp("sbatch", argv.data());
    ::_exit(127);
  }
  ::close(ends[1]);
  std::string out;
  char buffer[256];
  for (ssize_t got = 0; (got = ::read(ends[0], buffer, sizeof buffer)) > 0;)
    out.append(buffer, static_cast<std::size_t>(got));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (child < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 127))
    throw InputError({"--submit", 0, 0, ""},
                     "there is no sbatch here; the scripts are written, submit them where Slurm is");
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    throw InputError({"sbatch", 0, 0, ""}, "refused the job; its message stands above");
  return out.substr(0, out.find_first_of(";\n"));
}

}  // namespace

int submit(const StudyOptions& options, const StudyRequest& request) {
  const std::string folder = fs::absolute(options.folder).string();
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw InputError({folder, 0, 0, ""}, fmt::format("cannot be made: {}", error.message()));
  const std::string program = fs::read_symlink("/proc/self/exe").string();
  const bool divided = options.tasks > 1;
  if (divided) {
    if (const std::string why = shards_refused(request); !why.empty()) throw InputError({"--tasks", 0, 0, ""}, why);
  }
  const std::string array = folder + "/sweep.sbatch", merge = folder + "/merge.sbatch";
  write_file(array, array_script(options, request, program, folder, divided));
  if (divided) write_file(merge, merge_script(request, program, folder));

  std::vector<std::string> arguments = options.sbatch;
  arguments.push_back(array);
  const std::string job = run_sbatch(arguments);
  std::string text = fmt::format("{}: job {} of {} tasks", request.name, job, divided ? options.tasks : 1);
  if (divided) {
    arguments = options.sbatch;
    arguments.insert(arguments.end(), {"--dependency=afterok:" + job, merge});
    text += fmt::format(", then job {} merges them into {}", run_sbatch(arguments), store_file(folder, {}));
  }
  deliver(text + "\n", "");
  return 0;
}

}  // namespace tilewright::cli
