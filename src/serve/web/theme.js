// SPDX-License-Identifier: MIT
// The theme that was chosen, before anything is drawn; without a choice it is that of the system.
{
    const chosen = localStorage.getItem('nwho-theme');

    if (chosen)
        document.documentElement.dataset.theme = chosen;
}
