// Completion: what can stand where the cursor is, and the scripts that make shells ask for it.

import type { CliCommand, Flag } from "./command.ts";

/** A word that fits, and what it is for; `files`: names of files fit, too. */
export interface Completions {
  readonly words: readonly { readonly word: string; readonly about: string }[];
  readonly files: boolean;
}

/** For the last of the words, which may be empty. Several commands: the first word names one. */
export function complete(commands: readonly CliCommand[], words: readonly string[]): Completions {
  const [first = "", ...rest] = words;
  if (commands.length > 1 && words.length <= 1) {
    return fitting(
      commands.map(({ name, description }) => ({ word: name, about: description ?? "" })),
      first,
    );
  }
  const command = commands.length === 1 ? commands[0] : commands.find(({ name }) => name === first);
  if (command === undefined) return { words: [], files: false };
  return completeCommand(command, commands.length === 1 ? words : rest);
}

function completeCommand(command: CliCommand, words: readonly string[]): Completions {
  const current = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  const onlyWords = before.includes("--");
  const previous = onlyWords ? undefined : flagBefore(command, before.at(-1) ?? "");
  if (previous !== undefined) return valuesOf(previous, current, "");
  const equals = current.indexOf("=");
  if (!onlyWords && current.startsWith("--") && equals > 0) {
    const flag = command.flags.find(({ name }) => name === current.slice(2, equals));
    return flag === undefined ? { words: [], files: false } : valuesOf(flag, current, current.slice(0, equals + 1));
  }
  if (!onlyWords && current.startsWith("-")) return fitting(flagWords(command), current);
  return positional(command, before, current);
}

/** The flag that the next word is the value of. */
function flagBefore({ flags }: CliCommand, word: string): Flag | undefined {
  const flag = flags.find(({ name, letter }) => word === `--${name}` || (letter !== undefined && word === `-${letter}`));
  return flag?.isSwitch === false ? flag : undefined;
}

function positional(command: CliCommand, before: readonly string[], current: string): Completions {
  const taken = before.filter(
    (word, i) => !word.startsWith("-") && flagBefore(command, before[i - 1] ?? "") === undefined,
  ).length;
  const repeated = command.positionals.at(-1);
  const flag = command.positionals[taken] ?? (repeated?.repeats === true ? repeated : undefined);
  if (flag !== undefined) return valuesOf(flag, current, "");
  return current === "" ? fitting(flagWords(command), "") : { words: [], files: false };
}

function flagWords({ flags }: CliCommand): Completions["words"] {
  const own = flags.flatMap(({ name, isSwitch, param }) => {
    const about = param.description ?? "";
    return [{ word: `--${name}`, about }, ...(isSwitch ? [{ word: `--no-${name}`, about: "" }] : [])];
  });
  return [...own, { word: "--help", about: "Show help." }];
}

function valuesOf({ words, takesFiles }: Flag, current: string, prefix: string): Completions {
  const found = fitting(
    words.map((word) => ({ word: `${prefix}${word}`, about: "" })),
    current,
  );
  return { words: found.words, files: takesFiles && prefix === "" };
}

function fitting(words: Completions["words"], start: string): Completions {
  return { words: words.filter(({ word }) => word.startsWith(start)), files: false };
}

export const SHELLS = ["bash", "zsh", "fish"] as const;

/** Asks `starlane run TARGET --completion words -- WORD…`, whatever the target is; elsewhere files are completed as without it. */
export function completionScript(shell: (typeof SHELLS)[number]): string {
  return { bash: BASH, zsh: ZSH, fish: FISH }[shell];
}

const BASH = `# Completion of "starlane run" for bash: source it, as in  source <(starlane run TARGET --completion bash)
_starlane_run() {
  local current previous i target=0 words=() joined=()
  # The shell splits words at = and :, which belong to them here.
  for ((i = 0; i <= COMP_CWORD; i++)); do
    if ((i > 1)) && [[ \${COMP_WORDS[i]} == [=:]* || \${COMP_WORDS[i-1]} == [=:] ]]; then
      joined[\${#joined[@]}-1]+=\${COMP_WORDS[i]}
    else
      joined+=("\${COMP_WORDS[i]}")
    fi
  done
  COMPREPLY=()
  [[ \${joined[1]} == run ]] || return 0
  for ((i = 2; i < \${#joined[@]} - 1; i++)); do
    case \${joined[i]} in
      --env | --dir | --timeout) ((i++)) ;;
      -*) ;;
      *) target=$i; break ;;
    esac
  done
  ((target > 0)) || return 0
  words=("\${joined[@]:target+1}")
  [[ \${words[0]} == -- ]] && words=("\${words[@]:1}")
  current=\${words[\${#words[@]}-1]}
  previous=\${current%"\${current##*[=:]}"}
  local line word files=no
  while IFS= read -r line; do
    word=\${line%%$'\\t'*}
    if [[ $word == @files ]]; then files=yes; else COMPREPLY+=("\${word#"$previous"}"); fi
  done < <("\${COMP_WORDS[0]}" run "\${joined[target]}" --completion words -- "\${words[@]}" 2> /dev/null)
  [[ $files == no && \${#COMPREPLY[@]} -gt 0 ]] && compopt +o default 2> /dev/null
  return 0
}
complete -o default -F _starlane_run starlane
`;

const ZSH = `#compdef starlane
# Completion of "starlane run" for zsh: source it, as in  source <(starlane run TARGET --completion zsh)
_starlane_run() {
  local -a found described rest
  local line target=0 i files=no
  if [[ $words[2] == run ]]; then
    for ((i = 3; i < CURRENT; i++)); do
      case $words[i] in
        --env|--dir|--timeout) ((i++)) ;;
        -*) ;;
        *) target=$i; break ;;
      esac
    done
  fi
  if ((target == 0)); then
    _files
    return
  fi
  rest=("\${(@Q)words[target+1,CURRENT]}")
  [[ $rest[1] == -- ]] && shift rest
  for line in "\${(@f)$("\${(Q)words[1]}" run "\${(Q)words[target]}" --completion words -- "\${rest[@]}" 2> /dev/null)}"; do
    [[ -z $line ]] && continue
    if [[ $line == @files* ]]; then
      files=yes
    else
      found+=("\${line%%$'\\t'*}")
      described+=("\${line%%$'\\t'*}  \${line#*$'\\t'}")
    fi
  done
  ((\${#found})) && compadd -l -d described -a found
  [[ $files == yes || \${#found} -eq 0 ]] && _files
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit -u; }
compdef _starlane_run starlane
`;

const FISH = `# Completion of "starlane run" for fish: source it, as in  starlane run TARGET --completion fish | source
function __starlane_target
    set -l tokens (commandline -opc)
    test (count $tokens) -ge 3; and test "$tokens[2]" = run; or return 1
    set -l skip no
    for i in (seq 3 (count $tokens))
        if test $skip = yes
            set skip no
        else if contains -- $tokens[$i] --env --dir --timeout
            set skip yes
        else if not string match -q -- '-*' $tokens[$i]
            echo $i
            return 0
        end
    end
    return 1
end
function __starlane_complete
    set -l tokens (commandline -opc)
    set -l target (__starlane_target); or return
    set -l words
    if test (count $tokens) -gt $target
        set words $tokens[(math $target + 1)..-1]
    end
    set -a words (commandline -ct)
    if test "$words[1]" = --
        set -e words[1]
    end
    for line in ($tokens[1] run $tokens[$target] --completion words -- $words 2> /dev/null)
        if string match -q '@files*' -- $line
            __fish_complete_path (commandline -ct)
        else
            echo $line
        end
    end
end
complete -c starlane -n __starlane_target -f -a '(__starlane_complete)'
`;
