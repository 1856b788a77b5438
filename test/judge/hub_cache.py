"""What huggingface_hub makes of a cache, as JSON. Usage: hub_cache.py scan | find NAME FILE | download NAME, with HF_HUB_CACHE set."""

import json
import sys

from huggingface_hub import scan_cache_dir, snapshot_download, try_to_load_from_cache


def scan():
    info = scan_cache_dir()
    repositories = [
        {
            "name": repository.repo_id,
            "type": repository.repo_type,
            "revisions": [
                {
                    "commit": revision.commit_hash,
                    "refs": sorted(revision.refs),
                    "files": sorted([file.file_name, file.size_on_disk] for file in revision.files),
                }
                for revision in repository.revisions
            ],
        }
        for repository in info.repos
    ]
    return {"warnings": [str(warning) for warning in info.warnings], "repositories": repositories}


if __name__ == "__main__":
    task, *given = sys.argv[1:]
    tasks = {"scan": scan, "find": try_to_load_from_cache, "download": snapshot_download}
    print(json.dumps(tasks[task](*given)))
