#include "cli/completion.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

namespace tilewright::cli {
namespace {

std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
  }
  return names;
}

std::string bash(const CLI::App& app) {
  std::string cases;
  std::string commands;
  for (const CLI::App* command : app.get_subcommands({})) {
    commands += command->get_name() + " ";
    cases += fmt::format("    {}) words=\"{}\" ;;\n", command->get_name(), fmt::join(option_names(*command), " "));
  }
  return fmt::format(
      "_tilewright() {{\n  local current=\"${{COMP_WORDS[COMP_CWORD]}}\" words=\"\"\n  case \"${{COMP_WORDS[1]}}\" "
      "in\n{}    *) words=\"{}\" ;;\n  esac\n"
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then words=\"{}\"; fi\n"
      "  if [ \"${{COMP_WORDS[COMP_CWORD-1]}}\" = --chip ]; then words=\"all $(tilewright list chips 2>/dev/null | cut "
      "-d' ' -f1)\"; fi\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\") $(compgen -f -- \"$current\"))\n}}\ncomplete -o filenames "
      "-F _tilewright tilewright\n",
      cases, commands, commands);
}

std::string fish(const CLI::App& app) {
  std::string script = "complete -c tilewright -n __fish_use_subcommand -f\n";
  for (const CLI::App* command : app.get_subcommands({})) {
    script += fmt::format("complete -c tilewright -n __fish_use_subcommand -a {} -d \"{}\"\n", command->get_name(),
                          command->get_description());
    for (const CLI::Option* option : command->get_options()) {
      for (const std::string& name : option->get_lnames()) {
        script += fmt::format("complete -c tilewright -n '__fish_seen_subcommand_from {}' -l {}\n", command->get_name(),
                              name);
      }
    }
  }
  return script;
}

}  // namespace

std::string completion_script(const CLI::App& app, const std::string& shell) {
  if (shell == "fish") return fish(app);
  if (shell == "zsh") return "#compdef tilewright\nautoload -U +X bashcompinit && bashcompinit\n" + bash(app);
  return bash(app);
}

}  // namespace tilewright::cli
